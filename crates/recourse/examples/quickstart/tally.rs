//! [`Tally`]: an observer that counts what recourse did, and keeps two timelines worth reading.

use parking_lot::{Mutex, MutexGuard};
use recourse::CircuitState::{Closed, HalfOpen, Open};
use recourse::{AttemptKind, AttemptRecord, BudgetEvent, Ending, Key, Observer, Timeline, Transition};

#[derive(Default)]
pub(crate) struct Tally(Mutex<Seen>);

/// What an observer can see of a load.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) hedges_won: u32,
    pub(crate) hedges_lost: u32,
    /// Calls that succeeded after the wait that the service had asked for.
    pub(crate) waited_as_asked: u32,
    pub(crate) retries_denied: u32,
    pub(crate) breaker_transitions: u32,
    pub(crate) breaker_opened: u32,
    pub(crate) breaker_probed: u32,
    pub(crate) breaker_opened_again: u32,
    pub(crate) breaker_closed: u32,
    /// A call that was retried until it succeeded.
    pub(crate) retried: Option<Timeline>,
    /// A call that a hedge saved from the slow tail.
    pub(crate) hedged: Option<Timeline>,
}

impl Tally {
    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock()
    }
}

impl Observer for Tally {
    fn on_attempt(&self, _: &Key, record: &AttemptRecord) {
        if record.is_hedge {
            match record.ending {
                Ending::Won => self.seen().hedges_won += 1,
                Ending::Denied => {} // not launched, so neither
                _ => self.seen().hedges_lost += 1,
            }
        }
    }

    fn on_budget_decision(&self, event: &BudgetEvent) {
        if event.kind == AttemptKind::Retry && !event.allowed {
            self.seen().retries_denied += 1;
        }
    }

    fn on_circuit_transition(&self, _: &Key, transition: &Transition) {
        let mut seen = self.seen();
        seen.breaker_transitions += 1;
        match (transition.from, transition.to) {
            (Closed, Open) => seen.breaker_opened += 1,
            (Open, HalfOpen) => seen.breaker_probed += 1,
            (HalfOpen, Open) => seen.breaker_opened_again += 1,
            (HalfOpen, Closed) => seen.breaker_closed += 1,
            _ => {}
        }
    }

    fn on_success(&self, timeline: &Timeline) {
        let attempts = timeline.attempts();
        if attempts.iter().any(|attempt| attempt.outcome.backoff.is_some()) {
            self.seen().waited_as_asked += 1;
        }
        match attempts {
            [_] => {}
            [primary, hedge] if primary.ending == Ending::Superseded && hedge.ending == Ending::Won => {
                keep_longest(&mut self.seen().hedged, timeline);
            }
            _ if attempts.iter().all(|attempt| !attempt.is_hedge) => {
                keep_longest(&mut self.seen().retried, timeline);
            }
            _ => {}
        }
    }
}

/// Keeps the timeline with the most attempts, the first of several.
fn keep_longest(kept: &mut Option<Timeline>, timeline: &Timeline) {
    if kept.as_ref().is_none_or(|kept| kept.launched() < timeline.launched()) {
        *kept = Some(timeline.clone());
    }
}
