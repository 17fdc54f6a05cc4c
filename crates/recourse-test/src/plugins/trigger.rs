//! [`ScriptedTrigger`]: gives these answers, one after the other.

use crate::sequence::Sequence;
use recourse_core::{HedgeDecision, HedgeState, HedgeTrigger};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A hedge trigger that gives these answers, one after the other; the last one repeats. Clones share it.
///
/// ```
/// use recourse_core::{HedgeDecision, HedgeState, HedgeTrigger, Moment};
/// use recourse_test::ScriptedTrigger;
/// use std::time::Duration;
///
/// let trigger = ScriptedTrigger::new(HedgeDecision::check_in(Duration::ZERO)).then(HedgeDecision::spawn());
/// let state = HedgeState::new(Moment::ZERO, Moment::ZERO, 1, 2, Duration::from_millis(80));
/// assert!(!trigger.should_spawn_hedge(&state).spawn);
/// assert!(trigger.should_spawn_hedge(&state).spawn);
/// assert_eq!(trigger.states().len(), 2);
/// ```
#[derive(Clone)]
pub struct ScriptedTrigger(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    answers: Sequence<HedgeDecision>,
    wants_latency: bool,
    states: Vec<HedgeState>,
}

impl ScriptedTrigger {
    /// Begins with this answer.
    #[must_use]
    pub fn new(answer: HedgeDecision) -> Self {
        let mut answers = Sequence::new();
        answers.push(1, answer);
        ScriptedTrigger(Arc::new(Mutex::new(State { answers, wants_latency: false, states: Vec::new() })))
    }

    /// Then this answer.
    #[must_use]
    pub fn then(self, answer: HedgeDecision) -> Self {
        self.lock().answers.push(1, answer);
        self
    }

    /// Asks for latencies to be recorded; without this it doesn't.
    #[must_use]
    pub fn wanting_latency(self) -> Self {
        self.lock().wants_latency = true;
        self
    }

    /// What it was shown, in order.
    #[must_use]
    pub fn states(&self) -> Vec<HedgeState> {
        self.lock().states.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HedgeTrigger for ScriptedTrigger {
    fn should_spawn_hedge(&self, state: &HedgeState) -> HedgeDecision {
        let mut script = self.lock();
        let answer = script.answers.nth(script.states.len()).copied();
        script.states.push(*state);
        answer.unwrap_or(HedgeDecision::never())
    }

    fn wants_latency(&self) -> bool {
        self.lock().wants_latency
    }
}

impl fmt::Debug for ScriptedTrigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedTrigger").field("asked", &self.lock().states.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use recourse_core::Moment;
    use std::time::Duration;

    #[test]
    fn the_last_answer_repeats_and_latency_is_wanted_only_where_it_was_asked_for() {
        let trigger = ScriptedTrigger::new(HedgeDecision::spawn()).then(HedgeDecision::never());
        let state = HedgeState::new(Moment::ZERO, Moment::ZERO, 1, 2, Duration::ZERO);
        let spawned: Vec<bool> = (0..3).map(|_| trigger.should_spawn_hedge(&state).spawn).collect();
        assert_eq!(spawned, [true, false, false]);
        assert!(!trigger.wants_latency());
        assert!(trigger.wanting_latency().wants_latency());
    }
}
