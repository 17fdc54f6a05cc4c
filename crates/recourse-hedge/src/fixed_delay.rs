//! [`FixedDelay`]: hedge `n` fires at `n` times the policy's delay.

use crate::deadline::in_time;
use recourse_core::{HedgeDecision, HedgeState, HedgeTrigger};

/// Fires hedge `n` once the group is `n` times the policy's `hedge_delay` old.
///
/// It reads no latencies: so it can't know which hedge would be back before the call's deadline, and launches any while
/// there is time left at all. [`WithinDeadline`](crate::WithinDeadline) knows. Asked early, it names the time that is left; asked late, it launches one hedge and has the
/// next, which is due as well, asked for at once.
///
/// ```
/// use recourse_core::{HedgeDecision, HedgeState, HedgeTrigger, Moment};
/// use recourse_hedge::FixedDelay;
/// use std::time::Duration;
///
/// let delay = Duration::from_millis(200);
/// let after = |millis| {
///     let now = Moment::ZERO + Duration::from_millis(millis);
///     FixedDelay.should_spawn_hedge(&HedgeState::new(Moment::ZERO, now, 1, 2, delay))
/// };
/// assert_eq!(after(150), HedgeDecision::check_in(Duration::from_millis(50)));
/// assert_eq!(after(200), HedgeDecision::spawn_and_check_in(delay));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FixedDelay;

impl FixedDelay {
    /// The registry name, `fixed_delay`.
    pub const NAME: &'static str = "fixed_delay";
}

impl HedgeTrigger for FixedDelay {
    fn should_spawn_hedge(&self, state: &HedgeState) -> HedgeDecision {
        in_time(|| None, state, || due(state))
    }

    fn wants_latency(&self) -> bool {
        false
    }
}

fn due(state: &HedgeState) -> HedgeDecision {
    // The primary counts as launched, so as many as are launched is the number of the next hedge.
    let next = state.launched().max(1);
    if next > state.max_hedges() {
        return HedgeDecision::never();
    }
    let left_until = |hedge: u32| state.hedge_delay().saturating_mul(hedge).saturating_sub(state.elapsed());
    let left = left_until(next);
    if !left.is_zero() {
        HedgeDecision::check_in(left)
    } else if next < state.max_hedges() {
        HedgeDecision::spawn_and_check_in(left_until(next + 1))
    } else {
        HedgeDecision::spawn()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use recourse_core::Moment;
    use std::time::Duration;

    const MS: Duration = Duration::from_millis(1);

    fn ask(elapsed: Duration, launched: u32, max_hedges: u32, delay: Duration) -> HedgeDecision {
        let start = Moment::from_nanos(77);
        FixedDelay.should_spawn_hedge(&HedgeState::new(start, start + elapsed, launched, max_hedges, delay))
    }

    #[test]
    fn hedge_n_fires_at_n_times_the_delay() {
        for n in 1..=3 {
            let due = MS * 20 * n;
            assert_eq!(ask(due - MS, n, 3, MS * 20), HedgeDecision::check_in(MS), "hedge {n}");
            assert!(ask(due, n, 3, MS * 20).spawn, "hedge {n}");
        }
    }

    #[test]
    fn a_hedge_names_when_the_following_one_is_due_and_the_last_names_nothing() {
        assert_eq!(ask(MS * 23, 1, 2, MS * 20), HedgeDecision::spawn_and_check_in(MS * 17));
        assert_eq!(ask(MS * 40, 2, 2, MS * 20), HedgeDecision::spawn());
    }

    #[test]
    fn nothing_is_launched_beyond_max_hedges() {
        for (launched, max_hedges) in [(2, 1), (4, 3), (1, 0), (u32::MAX, 3)] {
            assert_eq!(ask(MS * 1_000, launched, max_hedges, MS), HedgeDecision::never());
        }
    }

    #[test]
    fn when_late_each_evaluation_launches_one() {
        let decisions: Vec<_> = (1..=3).map(|launched| ask(MS * 500, launched, 3, MS * 20)).collect();
        let soon = HedgeDecision::spawn_and_check_in(Duration::ZERO);
        assert_eq!(decisions, [soon, soon, HedgeDecision::spawn()]);
    }

    #[test]
    fn no_delay_overflows() {
        let never_due = ask(Duration::MAX, 3, 3, Duration::MAX);
        assert!(!never_due.spawn && never_due.next_check_in.is_some());
    }
}
