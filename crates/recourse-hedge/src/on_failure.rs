//! [`OnFailure`]: an attempt that failed launches the next hedge at once.

use crate::deadline::in_time;
use crate::quantile::usual;
use recourse_core::{HedgeDecision, HedgeState, HedgeTrigger};

/// Launches the next hedge as soon as an attempt of the group has failed and may be retried; otherwise it asks the
/// trigger within, which sees slowness.
///
/// A hedge on failure starts in the same group: no backoff comes before it, and it uses up one of the policy's
/// `max_hedges`, not of its attempts. The trigger within isn't told of failed attempts: it sees the group as if they
/// had not been launched, so failures use up none of *its* hedges' turns. What it launches is due when it would be
/// without failures.
///
/// Where the key's latencies are known, because the trigger within reads them, a failure launches nothing once less time is
/// left until the call's deadline than half of the recent calls took.
///
/// Where everything fails this makes `1 + max_hedges` attempts of every one, back to back: name a budget in
/// `hedge.budget`. An outcome that may not be retried launches nothing.
///
/// gRPC's hedging policy (proposal A6) does the same: a non-fatal failure sends the next request at once.
///
/// ```
/// use recourse_core::{HedgeDecision, HedgeState, HedgeTrigger, Moment};
/// use recourse_hedge::{FixedDelay, OnFailure};
/// use std::time::Duration;
///
/// let (trigger, ms) = (OnFailure::new(FixedDelay), Duration::from_millis);
/// let waiting = HedgeState::new(Moment::ZERO, Moment::ZERO + ms(5), 1, 1, ms(200));
/// assert_eq!(trigger.should_spawn_hedge(&waiting), HedgeDecision::check_in(ms(195)));
/// assert_eq!(trigger.should_spawn_hedge(&waiting.with_failed(1)), HedgeDecision::spawn());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OnFailure<T> {
    slow: T,
    ignores_deadline: bool,
}

impl<T: HedgeTrigger> OnFailure<T> {
    /// Hedges failures at once, and slowness when `slow` says so.
    #[must_use]
    pub const fn new(slow: T) -> Self {
        OnFailure { slow, ignores_deadline: false }
    }

    /// The same, launching also where a hedge isn't expected back before the call's deadline, while any time is left. What
    /// the trigger within does is its own matter.
    #[must_use]
    pub fn ignore_deadline(self) -> Self {
        OnFailure { ignores_deadline: true, ..self }
    }
}

impl<T: HedgeTrigger> HedgeTrigger for OnFailure<T> {
    fn should_spawn_hedge(&self, state: &HedgeState) -> HedgeDecision {
        if state.launched() > state.max_hedges() {
            return HedgeDecision::never();
        }
        if state.failed() < state.launched() {
            return self.slow.should_spawn_hedge(&without_failures(state, state.launched()));
        }
        in_time(
            || usual(self.ignores_deadline, state),
            state,
            || {
                if state.launched() == state.max_hedges() {
                    return HedgeDecision::spawn();
                }
                // When to look again is up to the other one; this hedge is in the place of the attempt that failed.
                let mut decision =
                    self.slow.should_spawn_hedge(&without_failures(state, state.launched() + 1));
                decision.spawn = true;
                decision
            },
        )
    }

    fn wants_latency(&self) -> bool {
        self.slow.wants_latency()
    }

    fn wants_failures(&self) -> bool {
        true
    }
}

/// The group as if its failed attempts had not been launched, where so many were.
///
/// A failure that has launched its hedge leaves the count as it was. One that has not leaves it one short, and the
/// trigger within finds a hedge due that it had launched before.
fn without_failures(state: &HedgeState, launched: u32) -> HedgeState {
    HedgeState::new(
        state.group_started(),
        state.now(),
        launched.saturating_sub(state.failed()),
        state.max_hedges().saturating_sub(state.failed()),
        state.hedge_delay(),
    )
    .with_call_started(state.call_started())
    .with_latency(state.latency().copied())
    .with_failed(state.failed())
    .with_time_left(state.time_left())
    .with_key_fingerprint(state.key_fingerprint())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FixedDelay;
    use recourse_core::Moment;
    use std::time::Duration;

    const MS: Duration = Duration::from_millis(1);

    fn ask(millis: u32, launched: u32, failed: u32, max_hedges: u32) -> HedgeDecision {
        let now = Moment::ZERO + MS * millis;
        let state = HedgeState::new(Moment::ZERO, now, launched, max_hedges, MS * 100).with_failed(failed);
        OnFailure::new(FixedDelay).should_spawn_hedge(&state)
    }

    #[test]
    fn a_failed_primary_launches_at_once_and_slowness_stays_with_the_other() {
        assert_eq!(ask(3, 1, 1, 3), HedgeDecision::spawn_and_check_in(MS * 97));
        // That hedge is slow in its turn: the next one is due when the first would have been.
        assert_eq!(ask(50, 2, 1, 3), HedgeDecision::check_in(MS * 50));
        assert_eq!(ask(100, 2, 1, 3), HedgeDecision::spawn_and_check_in(MS * 100));
    }

    #[test]
    fn every_further_failure_launches_the_next_until_there_are_none_left() {
        assert!(ask(3, 1, 1, 3).spawn);
        assert!(ask(4, 2, 2, 3).spawn);
        assert_eq!(ask(5, 3, 3, 3), HedgeDecision::spawn());
        assert_eq!(ask(6, 4, 4, 3), HedgeDecision::never());
    }

    #[test]
    fn a_failure_beside_a_hedge_in_flight_launches_at_once_too() {
        assert!(ask(100, 1, 0, 3).spawn);
        assert!(ask(120, 2, 1, 3).spawn, "the primary fails while its hedge runs");
        assert_eq!(ask(121, 3, 1, 3), HedgeDecision::check_in(MS * 79));
    }

    #[test]
    fn a_hedge_on_failure_is_no_more_than_the_policy_allows() {
        assert_eq!(ask(3, 1, 1, 0), HedgeDecision::never());
        assert_eq!(ask(3, 1, 1, 1), HedgeDecision::spawn());
    }
}
