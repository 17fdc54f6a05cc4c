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
/// without failures. It is asked when it wanted to be, and not when an attempt fails, so a trigger that counts what it is
/// asked for, as [`ExtraLoad`](crate::ExtraLoad) does, neither pays for a failure's hedge nor forbids one.
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
/// let failed = waiting.with_failed(1).with_after_failure(true);
/// assert_eq!(trigger.should_spawn_hedge(&failed), HedgeDecision::spawn());
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
        if !state.is_after_failure() {
            return self.slow.should_spawn_hedge(&without_failures(state, state.launched()));
        }
        in_time(
            || usual(self.ignores_deadline, state),
            state,
            || {
                // Once it was asked, its check stands, and it isn't asked out of its turn: to ask may cost something.
                if !state.is_first_look() || state.launched() == state.max_hedges() {
                    return HedgeDecision::spawn();
                }
                // This hedge is in the place of the attempt that failed.
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
/// A failure that has launched its hedge leaves the count as it was. One that may not, because none was in time, leaves it
/// one short, and the trigger within finds a hedge due that it had launched before.
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
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    const MS: Duration = Duration::from_millis(1);

    fn state(millis: u32, launched: u32, failed: u32, max_hedges: u32) -> HedgeState {
        let now = Moment::ZERO + MS * millis;
        HedgeState::new(Moment::ZERO, now, launched, max_hedges, MS * 100).with_failed(failed)
    }

    /// Asks by the clock.
    fn ask(millis: u32, launched: u32, failed: u32, max_hedges: u32) -> HedgeDecision {
        OnFailure::new(FixedDelay).should_spawn_hedge(&state(millis, launched, failed, max_hedges))
    }

    /// Tells of a failure.
    fn tell(millis: u32, launched: u32, failed: u32, max_hedges: u32) -> HedgeDecision {
        let failed = state(millis, launched, failed, max_hedges).with_after_failure(true);
        OnFailure::new(FixedDelay).should_spawn_hedge(&failed)
    }

    #[test]
    fn a_failed_primary_launches_at_once_and_slowness_stays_with_the_other() {
        assert_eq!(tell(3, 1, 1, 3), HedgeDecision::spawn(), "the check that stands is left alone");
        // That hedge is slow in its turn: the next one is due when the first would have been.
        assert_eq!(ask(50, 2, 1, 3), HedgeDecision::check_in(MS * 50));
        assert_eq!(ask(100, 2, 1, 3), HedgeDecision::spawn_and_check_in(MS * 100));
    }

    #[test]
    fn a_primary_that_fails_before_it_had_to_wait_has_the_other_asked_when_to_look() {
        let failed = state(3, 1, 1, 3).with_after_failure(true).with_first_look(true);
        let decision = OnFailure::new(FixedDelay).should_spawn_hedge(&failed);
        assert_eq!(decision, HedgeDecision::spawn_and_check_in(MS * 97));
    }

    #[test]
    fn every_further_failure_launches_the_next_until_there_are_none_left() {
        assert!(tell(3, 1, 1, 3).spawn);
        assert!(tell(4, 2, 2, 3).spawn);
        assert_eq!(tell(5, 3, 3, 3), HedgeDecision::spawn());
        assert_eq!(tell(6, 4, 4, 3), HedgeDecision::never());
    }

    #[test]
    fn a_failure_beside_a_hedge_in_flight_launches_at_once_too() {
        assert!(ask(100, 1, 0, 3).spawn);
        assert!(tell(120, 2, 1, 3).spawn, "the primary fails while its hedge runs");
        assert_eq!(ask(121, 3, 1, 3), HedgeDecision::check_in(MS * 79));
    }

    /// Counts what it is asked, and launches whenever it is.
    #[derive(Default)]
    struct Charges(AtomicU32);

    impl HedgeTrigger for Charges {
        fn should_spawn_hedge(&self, _: &HedgeState) -> HedgeDecision {
            self.0.fetch_add(1, Ordering::Relaxed);
            HedgeDecision::spawn()
        }
    }

    #[test]
    fn a_failure_asks_nothing_of_a_trigger_that_was_asked_before() {
        let trigger = OnFailure::new(Charges::default());
        for (launched, failed) in [(2, 1), (1, 1), (2, 2)] {
            let failed = state(120, launched, failed, 3).with_after_failure(true);
            assert!(trigger.should_spawn_hedge(&failed).spawn);
        }
        assert_eq!(trigger.slow.0.load(Ordering::Relaxed), 0);
        assert!(trigger.should_spawn_hedge(&state(200, 3, 2, 3)).spawn);
        assert_eq!(trigger.slow.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_hedge_on_failure_is_no_more_than_the_policy_allows() {
        assert_eq!(tell(3, 1, 1, 0), HedgeDecision::never());
        assert_eq!(tell(3, 1, 1, 1), HedgeDecision::spawn());
    }
}
