//! [`Observing`]: decides and counts, and launches nothing.

use crate::atomics::{AtomicU64, Ordering};
use recourse_core::{HedgeDecision, HedgeState, HedgeTrigger};

/// Counts the groups that the trigger within would hedge, and hedges none.
///
/// For bringing hedging in by steps: off, observing, enforcing. While observing, calls pay for the bookkeeping and for
/// the timers, and a service sees no additional request. Compare the count with the number of calls, then register the
/// trigger itself.
///
/// Asked by the clock it counts one hedge a group at most, the first: without it nobody knows whether a second would
/// have been due. Where the trigger within asks for failures too, each failure that would launch a hedge counts.
///
/// As resilience4j's metrics-only mode does for breakers.
///
/// ```
/// use recourse_core::{HedgeDecision, HedgeState, HedgeTrigger, Moment};
/// use recourse_hedge::{FixedDelay, Observing};
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// // Register a clone, keep the other to read.
/// let trigger = Arc::new(Observing::new(FixedDelay));
/// let ms = Duration::from_millis;
/// let slow = HedgeState::new(Moment::ZERO, Moment::ZERO + ms(300), 1, 2, ms(200));
/// assert_eq!(trigger.should_spawn_hedge(&slow), HedgeDecision::never());
/// assert_eq!(trigger.would_launch(), 1);
/// ```
#[derive(Debug)]
pub struct Observing<T> {
    trigger: T,
    would_launch: AtomicU64,
}

impl<T: HedgeTrigger> Observing<T> {
    /// Watches what `trigger` would do.
    #[must_use]
    pub fn new(trigger: T) -> Self {
        Observing { trigger, would_launch: AtomicU64::new(0) }
    }

    /// Hedges that would have been launched so far.
    #[must_use]
    pub fn would_launch(&self) -> u64 {
        self.would_launch.load(Ordering::Relaxed)
    }

    /// The trigger within.
    #[must_use]
    pub const fn trigger(&self) -> &T {
        &self.trigger
    }
}

impl<T: HedgeTrigger> HedgeTrigger for Observing<T> {
    fn should_spawn_hedge(&self, state: &HedgeState) -> HedgeDecision {
        let decision = self.trigger.should_spawn_hedge(state);
        if !decision.spawn {
            return decision;
        }
        self.would_launch.fetch_add(1, Ordering::Relaxed);
        HedgeDecision::never()
    }

    fn wants_latency(&self) -> bool {
        self.trigger.wants_latency()
    }

    fn wants_failures(&self) -> bool {
        self.trigger.wants_failures()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FixedDelay, OnFailure, Quantile};
    use recourse_core::Moment;
    use std::time::Duration;

    #[test]
    fn it_waits_as_the_trigger_within_and_counts_instead_of_launching() {
        let (trigger, ms) = (Observing::new(FixedDelay), Duration::from_millis);
        let at = |elapsed| HedgeState::new(Moment::ZERO, Moment::ZERO + elapsed, 1, 2, ms(200));
        assert_eq!(trigger.should_spawn_hedge(&at(ms(150))), HedgeDecision::check_in(ms(50)));
        assert_eq!(trigger.would_launch(), 0);
        for count in 1..=3 {
            assert_eq!(trigger.should_spawn_hedge(&at(ms(200))), HedgeDecision::never());
            assert_eq!(trigger.would_launch(), count);
        }
    }

    #[test]
    fn it_asks_for_what_the_trigger_within_asks_for() {
        let wants = |trigger: &dyn HedgeTrigger| (trigger.wants_latency(), trigger.wants_failures());
        assert_eq!(wants(&Observing::new(FixedDelay)), (false, false));
        assert_eq!(wants(&Observing::new(Quantile::P95)), (true, false));
        assert_eq!(wants(&Observing::new(OnFailure::new(FixedDelay))), (false, true));
    }
}
