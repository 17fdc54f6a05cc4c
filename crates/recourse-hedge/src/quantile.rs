//! [`Quantile`]: a hedge once the group is slower than most recent calls.

use crate::deadline::in_time;
use recourse_core::{HedgeDecision, HedgeState, HedgeTrigger, LatencySnapshot};
use std::time::Duration;

/// Fires once the group has taken longer than a quantile of the key's recent latencies.
///
/// Hedge `n` fires once the elapsed time exceeds `n` times the quantile. Asked late, for one because the quantile has
/// fallen since, it still leaves one quantile between two hedges. With no samples, or
/// [too few](Quantile::with_min_samples), it fires nothing, and looks again after the policy's `hedge_delay`: other calls
/// may have ended by then.
///
/// It fires nothing once less time is left until the call's deadline than half of the key's recent calls took: less than
/// half of the hedges launched later would be back in time. See [`ignore_deadline`](Quantile::ignore_deadline).
///
/// The idea is that of Dean and Barroso, "The Tail at Scale" (Communications of the ACM, 2013): deferring the second
/// request until the first has outlived the 95th percentile keeps the additional load near 5 %. In simulation it comes to
/// 4.9 to 5.5 %, on exponential, log-normal and bimodal latencies, where the window holds thousands of samples, and to 3.5
/// to 5.5 % where it holds a hundred.
///
/// ```
/// use recourse_core::{HedgeDecision, HedgeState, HedgeTrigger, LatencySnapshot, Moment};
/// use recourse_hedge::Quantile;
/// use std::time::Duration;
///
/// let ms = Duration::from_millis;
/// let latency = LatencySnapshot::new(ms(5), ms(20), ms(40), ms(90), 1_000);
/// let after = |elapsed| {
///     let state = HedgeState::new(Moment::ZERO, Moment::ZERO + elapsed, 1, 2, ms(200));
///     Quantile::P95.should_spawn_hedge(&state.with_latency(Some(latency)))
/// };
/// assert!(!after(ms(40)).spawn);
/// assert!(after(ms(41)).spawn);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantile {
    which: Which,
    min_samples: u64,
    floor: Duration,
    ignores_deadline: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    P50,
    P90,
    P95,
    P99,
}

impl Quantile {
    /// Slower than half of the recent calls; registry name `p50`. Adds about half of the load again.
    pub const P50: Quantile = Quantile::with_defaults(Which::P50, 2);
    /// Slower than 90 in 100 recent calls; registry name `p90`.
    pub const P90: Quantile = Quantile::with_defaults(Which::P90, 10);
    /// Slower than 95 in 100 recent calls; registry name `p95`.
    pub const P95: Quantile = Quantile::with_defaults(Which::P95, 20);
    /// Slower than 99 in 100 recent calls; registry name `p99`.
    pub const P99: Quantile = Quantile::with_defaults(Which::P99, 100);

    /// No sleeper in common use is finer than a millisecond: a shorter delay would be one of a millisecond anyway.
    const FLOOR: Duration = Duration::from_millis(1);

    const fn with_defaults(which: Which, min_samples: u64) -> Self {
        Quantile { which, min_samples, floor: Quantile::FLOOR, ignores_deadline: false }
    }

    /// The same, firing only where the snapshot speaks of at least so many samples; 0 is as 1.
    ///
    /// The default is 2 for the p50, 10, 20, and 100 for the p99. With so few the quantile is the slowest of them, and one
    /// call in `samples + 1` is hedged, however quick: with fewer that would be more than was asked for. So a key with few calls a minute isn't hedged: give it a fixed delay. Ask for some hundreds where
    /// a needless hedge is dear.
    #[must_use]
    pub const fn with_min_samples(mut self, samples: u64) -> Self {
        self.min_samples = samples;
        self
    }

    /// The same, taking a smaller quantile for this one; zero takes every quantile as it is, the default is 1 ms.
    ///
    /// Keeps a key whose calls mostly come from a cache from hedging every call that doesn't.
    #[must_use]
    pub const fn with_floor(mut self, floor: Duration) -> Self {
        self.floor = floor;
        self
    }

    /// The same, firing also where a hedge isn't expected back before the call's deadline, while any time is left: where a
    /// late answer is still worth its load, since it warms a cache, say.
    #[must_use]
    pub const fn ignore_deadline(mut self) -> Self {
        self.ignores_deadline = true;
        self
    }

    /// The registry name: `p50`, `p90`, `p95` or `p99`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.which {
            Which::P50 => "p50",
            Which::P90 => "p90",
            Which::P95 => "p95",
            Which::P99 => "p99",
        }
    }

    /// This quantile of the latencies, or the floor; `None` while there are too few samples.
    pub(crate) fn of(&self, latency: Option<&LatencySnapshot>) -> Option<Duration> {
        let latency = latency.filter(|latency| latency.samples >= self.min_samples.max(1))?;
        let quantile = match self.which {
            Which::P50 => latency.p50,
            Which::P90 => latency.p90,
            Which::P95 => latency.p95,
            Which::P99 => latency.p99,
        };
        Some(quantile.max(self.floor))
    }

    fn due(&self, state: &HedgeState) -> HedgeDecision {
        // The primary counts as launched, so as many as are launched is the number of the next hedge.
        let next = state.launched().max(1);
        if next > state.max_hedges() {
            return HedgeDecision::never();
        }
        let Some(spacing) = self.of(state.latency()) else {
            return HedgeDecision::check_in(state.hedge_delay());
        };
        let left_until = |hedge: u32| {
            spacing.saturating_mul(hedge).saturating_add(JUST_AFTER).saturating_sub(state.elapsed())
        };
        let left = left_until(next);
        if !left.is_zero() {
            HedgeDecision::check_in(left)
        } else if next < state.max_hedges() {
            HedgeDecision::spawn_and_check_in(left_until(next + 1).max(spacing))
        } else {
            HedgeDecision::spawn()
        }
    }
}

/// What a hedge needs, unless something else is asked for: later, less than half of the hedges would be back in time.
pub(crate) const USUAL: Quantile = Quantile::P50;

/// How long a hedge usually takes, as far as that is known and matters.
pub(crate) fn usual(ignores_deadline: bool, state: &HedgeState) -> Option<Duration> {
    if ignores_deadline { None } else { USUAL.of(state.latency()) }
}

impl HedgeTrigger for Quantile {
    fn should_spawn_hedge(&self, state: &HedgeState) -> HedgeDecision {
        in_time(|| usual(self.ignores_deadline, state), state, || self.due(state))
    }
}

/// A quantile is exceeded one step of the clock after it.
const JUST_AFTER: Duration = Duration::from_nanos(1);

#[cfg(test)]
mod tests {
    use super::*;
    use recourse_core::Moment;

    const MS: Duration = Duration::from_millis(1);
    const DELAY: Duration = Duration::from_millis(200);

    fn latency(samples: u64) -> LatencySnapshot {
        LatencySnapshot::new(MS * 10, MS * 20, MS * 40, MS * 80, samples)
    }

    fn state(elapsed: Duration, launched: u32, max_hedges: u32) -> HedgeState {
        let start = Moment::from_nanos(77);
        HedgeState::new(start, start + elapsed, launched, max_hedges, DELAY).with_latency(Some(latency(100)))
    }

    #[test]
    fn each_trigger_fires_once_its_own_quantile_is_exceeded() {
        for (trigger, quantile) in [
            (Quantile::P50, MS * 10),
            (Quantile::P90, MS * 20),
            (Quantile::P95, MS * 40),
            (Quantile::P99, MS * 80),
        ] {
            assert_eq!(
                trigger.should_spawn_hedge(&state(quantile, 1, 1)),
                HedgeDecision::check_in(JUST_AFTER),
                "{}",
                trigger.name()
            );
            assert_eq!(
                trigger.should_spawn_hedge(&state(quantile + JUST_AFTER, 1, 1)),
                HedgeDecision::spawn(),
                "{}",
                trigger.name()
            );
        }
    }

    #[test]
    fn following_the_named_checks_launches_each_hedge_just_after_its_multiple() {
        let (mut elapsed, mut launched, mut fired, mut checks) = (Duration::ZERO, 1, Vec::new(), 0);
        loop {
            let decision = Quantile::P95.should_spawn_hedge(&state(elapsed, launched, 3));
            if decision.spawn {
                fired.push(elapsed);
                launched += 1;
            }
            checks += 1;
            let Some(wait) = decision.next_check_in else { break };
            elapsed += wait;
        }
        assert_eq!(fired, [1, 2, 3].map(|n| MS * 40 * n + JUST_AFTER));
        assert_eq!(checks, 4);
    }

    #[test]
    fn hedges_that_are_all_overdue_are_spaced_by_the_quantile() {
        let late = Quantile::P50.should_spawn_hedge(&state(MS * 1_000, 1, 3));
        assert_eq!(late, HedgeDecision::spawn_and_check_in(MS * 10));
    }

    #[test]
    fn without_samples_nothing_fires_until_there_are_some() {
        let none = state(MS * 10_000, 1, 2).with_latency(None);
        let empty = none.with_latency(Some(LatencySnapshot::default()));
        for state in [none, empty] {
            for trigger in [Quantile::P99, Quantile::P99.with_min_samples(0)] {
                assert_eq!(trigger.should_spawn_hedge(&state), HedgeDecision::check_in(DELAY));
            }
        }
        let first = none.with_latency(Some(latency(1)));
        assert!(Quantile::P99.with_min_samples(0).should_spawn_hedge(&first).spawn);
    }

    #[test]
    fn too_few_samples_are_as_none() {
        let trigger = Quantile::P90.with_min_samples(101);
        let slow = state(MS * 10_000, 1, 2);
        assert_eq!(trigger.should_spawn_hedge(&slow), HedgeDecision::check_in(DELAY));
        assert!(trigger.should_spawn_hedge(&slow.with_latency(Some(latency(101)))).spawn);
    }

    #[test]
    fn by_default_it_takes_a_sample_above_the_quantile() {
        let slow = state(MS * 10_000, 1, 2);
        for (trigger, least) in
            [(Quantile::P50, 2), (Quantile::P90, 10), (Quantile::P95, 20), (Quantile::P99, 100)]
        {
            let fires =
                |samples| trigger.should_spawn_hedge(&slow.with_latency(Some(latency(samples)))).spawn;
            assert_eq!((fires(least - 1), fires(least)), (false, true), "{}", trigger.name());
        }
    }

    #[test]
    fn by_default_no_quantile_below_a_millisecond_counts() {
        let quick = LatencySnapshot::new(MS / 10, MS / 10, MS / 10, MS / 10, 100);
        let decision = Quantile::P95.should_spawn_hedge(&state(MS, 1, 2).with_latency(Some(quick)));
        assert_eq!(decision, HedgeDecision::check_in(JUST_AFTER));
    }

    #[test]
    fn a_floor_stands_in_for_a_smaller_quantile_only() {
        let trigger = Quantile::P50.with_floor(MS * 15);
        assert_eq!(trigger.should_spawn_hedge(&state(MS * 15, 1, 2)), HedgeDecision::check_in(JUST_AFTER));
        let trigger = Quantile::P99.with_floor(MS * 15);
        assert_eq!(trigger.should_spawn_hedge(&state(MS * 80, 1, 2)), HedgeDecision::check_in(JUST_AFTER));
    }

    #[test]
    fn nothing_is_launched_beyond_max_hedges() {
        for (launched, max_hedges) in [(2, 1), (4, 3), (1, 0), (u32::MAX, 3)] {
            assert_eq!(
                Quantile::P50.should_spawn_hedge(&state(MS * 1_000, launched, max_hedges)),
                HedgeDecision::never()
            );
        }
    }

    #[test]
    fn no_quantile_overflows() {
        let endless = LatencySnapshot::new(Duration::MAX, Duration::MAX, Duration::MAX, Duration::MAX, 9);
        let decision =
            Quantile::P50.should_spawn_hedge(&state(Duration::MAX, 3, 3).with_latency(Some(endless)));
        assert!(!decision.spawn && decision.next_check_in.is_some());
    }
}
