//! Random hedge triggers and classifiers.

use crate::dice::Dice;
use crate::mood::Mood;
use crate::moody::Moody;
use recourse::classify::{Always, Auto, Http};
use recourse::hedge::{ExtraLoad, FixedDelay, Observing, OnFailure, Quantile, WithinDeadline};
use recourse::{
    AttemptResult, Classifier, Health, HedgeDecision, HedgeState, HedgeTrigger, Moment, Outcome, OutcomeKind,
};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// When each trigger is to be asked again, by the start of its group: of one call at a time.
#[derive(Clone, Default)]
pub(crate) struct Promises(Arc<Mutex<Option<(Moment, Moment)>>>);

/// Looks whether a trigger is asked again no later than it wanted to be.
struct Impatient {
    inner: Arc<dyn HedgeTrigger>,
    promises: Promises,
    mood: Mood,
}

impl HedgeTrigger for Impatient {
    fn should_spawn_hedge(&self, state: &HedgeState) -> HedgeDecision {
        let mut promise = self.promises.0.lock().unwrap_or_else(PoisonError::into_inner);
        let late = promise.filter(|(group, due)| *group == state.group_started() && *due < state.now());
        if let Some((_, due)) = late {
            self.mood.fault(format!("a trigger that was to be asked at {due:?} is asked in {state:?}"));
        }
        let decision = self.inner.should_spawn_hedge(state);
        let wait = decision.next_check_in.map(|wait| wait.max(Duration::from_millis(1)));
        *promise = wait.map(|wait| (state.group_started(), state.now() + wait));
        decision
    }
    fn wants_latency(&self) -> bool {
        self.inner.wants_latency()
    }
    fn wants_failures(&self) -> bool {
        self.inner.wants_failures()
    }
}

/// A trigger to register.
pub(crate) fn trigger(dice: &Dice, mood: &Mood, promises: Option<&Promises>) -> Arc<dyn HedgeTrigger> {
    let plain = plain_trigger(dice, 2);
    let plain = match promises {
        Some(promises) => {
            Arc::new(Impatient { inner: plain, promises: promises.clone(), mood: mood.clone() })
        }
        None => plain,
    };
    match mood.is_calm() || dice.chance(0.5) {
        true => plain,
        false => Arc::new(Moody::new(mood, plain)),
    }
}

fn plain_trigger(dice: &Dice, depth: u32) -> Arc<dyn HedgeTrigger> {
    match dice.below(if depth > 0 { 8 } else { 5 }) {
        0 => Arc::new(FixedDelay),
        1 => Arc::new(quantile(dice)),
        2 => Arc::new(ExtraLoad::percent(dice.pick(&[1.0, 20.0, 100.0])).expect("an allowed number")),
        3 | 4 => Arc::new(Whim(dice.clone())),
        5 => Arc::new(OnFailure::new(plain_trigger(dice, depth - 1))),
        6 => {
            let within = WithinDeadline::new(plain_trigger(dice, depth - 1));
            Arc::new(if dice.chance(0.5) { within.with_quantile(quantile(dice)) } else { within })
        }
        _ => Arc::new(Observing::new(plain_trigger(dice, depth - 1))),
    }
}

fn quantile(dice: &Dice) -> Quantile {
    let quantile = dice.pick(&[Quantile::P50, Quantile::P90, Quantile::P95, Quantile::P99]);
    quantile.with_min_samples(dice.number(0, 5)).with_floor(dice.ms(0, 3))
}

/// Says whatever comes to its mind, also "ask again at once" and "in a million years".
struct Whim(Dice);

impl HedgeTrigger for Whim {
    fn should_spawn_hedge(&self, state: &HedgeState) -> HedgeDecision {
        let dice = &self.0;
        // Asked for ever it would let no time pass.
        let wait = if state.elapsed().as_secs() > 5 { None } else { Some(()) };
        let wait = wait.filter(|()| dice.chance(0.7)).map(|()| match dice.below(8) {
            0 => Duration::ZERO,
            1 => Duration::MAX,
            _ => dice.ms(0, 40),
        });
        let mut decision = HedgeDecision::never();
        (decision.spawn, decision.next_check_in) = (dice.chance(0.4), wait);
        decision
    }
    fn wants_latency(&self) -> bool {
        false
    }
    fn wants_failures(&self) -> bool {
        true
    }
}

/// A classifier to register.
pub(crate) fn classifier(dice: &Dice, mood: &Mood) -> Arc<dyn Classifier> {
    let plain: Arc<dyn Classifier> = match dice.below(6) {
        0 => Arc::new(Always),
        1 => Arc::new(Http::new()),
        2 => Arc::new(Auto::new()),
        _ => Arc::new(Verdicts { dice: dice.clone(), judges_values: dice.chance(0.7) }),
    };
    match mood.is_calm() || dice.chance(0.5) {
        true => plain,
        false => Arc::new(Moody::new(mood, plain)),
    }
}

/// Says whatever comes to its mind, of values too.
struct Verdicts {
    dice: Dice,
    judges_values: bool,
}

impl Classifier for Verdicts {
    fn classify(&self, result: &AttemptResult<'_>) -> Outcome {
        use OutcomeKind::{Abort, NonRetryable, Retryable, Success, Unknown};
        let dice = &self.dice;
        let kind = match result.is_value() {
            true => dice.pick(&[Success, Success, Success, Retryable, NonRetryable, Unknown]),
            false => dice.pick(&[Retryable, Retryable, Retryable, Retryable, NonRetryable, Abort, Success]),
        };
        let reason = dice.pick(&["", "whim"]);
        let outcome = Outcome::of(kind, reason);
        let outcome = match dice.below(8) {
            0 => outcome.with_backoff(dice.ms(0, 400)),
            1 => outcome.with_backoff(Duration::MAX),
            _ => outcome,
        };
        match dice.below(3) {
            0 => outcome.with_health(dice.pick(&[Health::Up, Health::Down, Health::Throttled, Health::None])),
            _ => outcome,
        }
    }
    fn judges_values(&self) -> bool {
        self.judges_values
    }
}
