//! [`in_time`]: no hedge that can't be expected back before the call's deadline.

use recourse_core::{HedgeDecision, HedgeState};
use std::time::Duration;

/// What `decide` says, while as much time is left as a hedge `needs`; where that isn't known, while any time is left. A check
/// at which it would be too late is none. Where no hedge is in time, `decide` isn't asked.
#[inline]
pub(crate) fn in_time(
    needs: impl FnOnce() -> Option<Duration>,
    state: &HedgeState,
    decide: impl FnOnce() -> HedgeDecision,
) -> HedgeDecision {
    let Some(left) = state.time_left() else { return decide() };
    let needs = needs().unwrap_or(Duration::ZERO);
    let Some(window) = left.checked_sub(needs).filter(|_| !left.is_zero()) else {
        return HedgeDecision::never();
    };
    let mut decision = decide();
    decision.next_check_in = decision.next_check_in.filter(|wait| *wait <= window && *wait < left);
    decision
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ExtraLoad, FixedDelay, OnFailure, Quantile, WithinDeadline};
    use recourse_core::{HedgeTrigger, LatencySnapshot, Moment};

    const MS: Duration = Duration::from_millis(1);

    /// A group in which every hedge is overdue, with half of the key's calls over after 30 ms.
    fn overdue(left: Duration) -> HedgeState {
        let latency = LatencySnapshot::new(MS * 30, MS * 30, MS * 30, MS * 30, 1_000);
        HedgeState::new(Moment::ZERO, Moment::ZERO + MS * 900, 1, 1, MS * 100)
            .with_latency(Some(latency))
            .with_time_left(Some(left))
    }

    /// The same group when its primary has just failed.
    fn failed(left: Duration) -> HedgeState {
        overdue(left).with_failed(1).with_after_failure(true)
    }

    fn rich() -> ExtraLoad {
        let trigger = ExtraLoad::percent(100.0).unwrap();
        for _ in 0..5 {
            trigger.should_spawn_hedge(&HedgeState::new(Moment::ZERO, Moment::ZERO, 1, 1, MS * 100));
        }
        trigger
    }

    fn spawns(trigger: &dyn HedgeTrigger, left: Duration) -> bool {
        trigger.should_spawn_hedge(&overdue(left)).spawn
    }

    #[test]
    fn triggers_that_know_the_latencies_launch_none_that_would_be_late() {
        let aware: [&dyn HedgeTrigger; 7] = [
            &Quantile::P50,
            &Quantile::P90,
            &Quantile::P95,
            &Quantile::P99,
            &Quantile::P95.with_min_samples(7).with_floor(MS * 2),
            &rich(),
            &WithinDeadline::new(FixedDelay),
        ];
        for (at, trigger) in aware.into_iter().enumerate() {
            let least = MS * 30;
            let [late, just] = [least - Duration::from_nanos(1), least].map(|left| spawns(trigger, left));
            assert_eq!((late, just), (false, true), "trigger {at}");
            assert!(trigger.wants_latency(), "trigger {at}");
        }
        let trigger = OnFailure::new(Quantile::P95);
        let failed = |left| trigger.should_spawn_hedge(&failed(left)).spawn;
        assert_eq!((failed(MS * 29), failed(MS * 30)), (false, true));
    }

    #[test]
    fn triggers_that_ignore_the_deadline_launch_until_no_time_at_all_is_left() {
        let ignoring: [&dyn HedgeTrigger; 3] =
            [&FixedDelay, &Quantile::P95.ignore_deadline(), &rich().ignore_deadline()];
        for (at, trigger) in ignoring.into_iter().enumerate() {
            assert_eq!((spawns(trigger, Duration::ZERO), spawns(trigger, MS)), (false, true), "trigger {at}");
        }
        let trigger = OnFailure::new(FixedDelay).ignore_deadline();
        let failed = |left| trigger.should_spawn_hedge(&failed(left)).spawn;
        assert_eq!((failed(Duration::ZERO), failed(MS)), (false, true));
    }

    #[test]
    fn a_check_at_the_deadline_or_behind_it_is_not_named() {
        let wait = |left| {
            let waits =
                HedgeState::new(Moment::ZERO, Moment::ZERO, 1, 1, MS * 100).with_time_left(Some(left));
            FixedDelay.should_spawn_hedge(&waits).next_check_in
        };
        assert_eq!((wait(MS * 101), wait(MS * 100), wait(MS * 99)), (Some(MS * 100), None, None));
    }

    #[test]
    fn latencies_are_kept_for_an_extra_load_only_where_it_reads_them() {
        assert!(!rich().ignore_deadline().wants_latency());
        assert!(!FixedDelay.wants_latency());
    }

    #[test]
    fn a_group_that_has_no_time_for_a_hedge_pays_for_others_all_the_same() {
        let trigger = ExtraLoad::percent(100.0).unwrap();
        let begins = overdue(MS * 5).with_first_look(true);
        assert_eq!(trigger.should_spawn_hedge(&begins), HedgeDecision::never());
        assert!(spawns(&trigger, MS * 30), "its share was not paid in");
    }
}
