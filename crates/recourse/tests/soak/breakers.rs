//! Random kinds of breakers, each watched.

use crate::dice::Dice;
use crate::mood::Mood;
use crate::moody::Moody;
use crate::votes::{Asked, Votes, Voting};
use recourse::circuit::{ConsecutiveFailures, FailureRatio, Recovery, SlowCalls, consecutive_failures};
use recourse::{BreakerFactory, CircuitMode};
use recourse_test::{ScriptedBreaker, WatchedBreakers};
use std::sync::Arc;
use std::time::Duration;

/// Makes kinds of breakers, and remembers them.
#[derive(Clone)]
pub(crate) struct Kinds {
    dice: Dice,
    mood: Mood,
    pub(crate) watched: Vec<WatchedBreakers>,
    pub(crate) votes: Votes,
    pub(crate) asked: Asked,
}

impl Kinds {
    pub(crate) fn new(dice: &Dice, mood: &Mood) -> Self {
        let (watched, votes, asked) = Default::default();
        Kinds { dice: dice.clone(), mood: mood.clone(), watched, votes, asked }
    }

    /// A kind to register.
    pub(crate) fn make(&mut self) -> WatchedBreakers {
        let plain: Arc<dyn BreakerFactory> = Arc::new(Voting {
            inner: self.plain(),
            votes: self.votes.clone(),
            asked: self.asked.clone(),
            number: self.watched.len(),
        });
        let kind = match self.mood.is_calm() || self.dice.chance(0.5) {
            true => WatchedBreakers::shared(plain),
            false => WatchedBreakers::new(Moody::new(&self.mood, plain)),
        };
        self.watched.push(kind.clone());
        kind
    }

    /// Overrides, or no longer, what some breaker does; false where there is none, or it can't be overridden.
    pub(crate) fn change_a_mode(&self) -> bool {
        let made: Vec<_> = self.watched.iter().flat_map(WatchedBreakers::made).collect();
        if made.is_empty() {
            return false;
        }
        let (_, breaker) = &made[self.dice.below(made.len())];
        breaker.set_mode(self.any_mode())
    }

    pub(crate) fn any_mode(&self) -> CircuitMode {
        match self.dice.below(16) {
            0 => CircuitMode::ForcedOpen,
            1..=3 => CircuitMode::Observing,
            4..=6 => CircuitMode::ForcedClosed,
            7..=9 => CircuitMode::Disabled,
            _ => CircuitMode::Enforcing,
        }
    }

    fn plain(&self) -> Arc<dyn BreakerFactory> {
        let (dice, ok) = (&self.dice, "the numbers are allowed");
        match dice.below(7) {
            0 => Arc::new(consecutive_failures),
            1 => {
                let mut kind = ConsecutiveFailures::new().recovery(self.recovery());
                kind = kind.throttled_weight(dice.pick(&[0.0, 0.3, 1.0]));
                if dice.chance(0.5) {
                    kind = kind.abandoned_limit(dice.small(0, 3));
                }
                Arc::new(kind.build().expect(ok))
            }
            2 => Arc::new(self.ratio(FailureRatio::over_attempts(dice.small(5, 20))).build().expect(ok)),
            3 => {
                let window = Duration::from_secs(dice.number(1, 20));
                Arc::new(self.ratio(FailureRatio::over_time(window)).build().expect(ok))
            }
            4 | 5 => {
                let kind = SlowCalls::longer_than(dice.ms(1, 50)).slow_ratio(dice.pick(&[0.2, 0.8]));
                let kind = kind.beside(self.ratio(FailureRatio::over_attempts(10)));
                Arc::new(kind.build().expect(ok))
            }
            _ => {
                let (admits, rejects) = (dice.small(1, 8), dice.small(0, 2));
                let scripted = ScriptedBreaker::admits(admits).then_rejects(rejects).then_admits(1);
                // It would take a hedge for a probe, where the primary was admitted by a panic.
                let half_open = self.mood.is_calm() && dice.chance(0.3);
                Arc::new(if half_open { scripted.half_open() } else { scripted })
            }
        }
    }

    fn ratio(&self, kind: FailureRatio) -> FailureRatio {
        let kind = kind.ratio(self.dice.pick(&[0.1, 0.5, 1.0])).minimum_attempts(self.dice.small(1, 5));
        let kind = kind.recovery(self.recovery()).throttled_weight(self.dice.pick(&[0.0, 0.5]));
        match self.dice.below(3) {
            0 => kind,
            1 => kind.ignore_abandoned(),
            _ => kind.abandoned_limit(self.dice.small(0, 3)),
        }
    }

    fn recovery(&self) -> Recovery {
        let dice = &self.dice;
        let recovery = match dice.chance(0.5) {
            true => Recovery::fixed(),
            false => Recovery::growing(Duration::from_secs(5)).jitter(dice.pick(&[0.0, 0.5])),
        };
        let recovery = recovery.probes(dice.small(1, 3)).successes(dice.small(1, 3));
        recovery.lease(dice.ms(200, 5_000)).seed(dice.number(0, u64::MAX))
    }
}
