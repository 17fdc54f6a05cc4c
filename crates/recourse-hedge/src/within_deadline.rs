//! [`WithinDeadline`]: no hedge that can't be expected to finish before the call's deadline.

use crate::deadline::in_time;
use crate::fixed_delay::FixedDelay;
use crate::quantile::{Quantile, USUAL};
use recourse_core::{HedgeDecision, HedgeState, HedgeTrigger};

/// Launches what the trigger within does, unless less time is left than a call usually takes.
///
/// A hedge needs as long as half of the key's recent calls, by default: less than half of the hedges launched later
/// would be back in time. Another [quantile](WithinDeadline::with_quantile) asks for a better chance. Once too little
/// time is left, no hedge of the group is launched any more, and no check is waited for.
///
/// A call without a deadline is left to the trigger within. So is one while there are fewer samples than the quantile
/// asks for: what isn't known refuses nothing, while any time is left.
///
/// The trigger within isn't asked where no hedge is in time.
///
/// [`Quantile`] and [`ExtraLoad`](crate::ExtraLoad) do the same by themselves. This is for triggers that don't, and for
/// another quantile. Around [`FixedDelay`] it has a registry name of its own, `fixed_delay_within_deadline`: it keeps the
/// key's latencies, which the fixed delay alone doesn't.
///
/// ```
/// use recourse_core::{HedgeDecision, HedgeState, HedgeTrigger, LatencySnapshot, Moment};
/// use recourse_hedge::{FixedDelay, WithinDeadline};
/// use std::time::Duration;
///
/// let (trigger, ms) = (WithinDeadline::new(FixedDelay), Duration::from_millis);
/// let latency = LatencySnapshot::new(ms(30), ms(60), ms(80), ms(300), 1_000);
/// let slow = HedgeState::new(Moment::ZERO, Moment::ZERO + ms(200), 1, 1, ms(200)).with_latency(Some(latency));
/// assert_eq!(trigger.should_spawn_hedge(&slow.with_time_left(Some(ms(30)))), HedgeDecision::spawn());
/// assert_eq!(trigger.should_spawn_hedge(&slow.with_time_left(Some(ms(29)))), HedgeDecision::never());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WithinDeadline<T> {
    trigger: T,
    needs: Quantile,
}

impl WithinDeadline<FixedDelay> {
    /// The registry name, `fixed_delay_within_deadline`.
    pub const NAME: &'static str = "fixed_delay_within_deadline";
}

impl<T: HedgeTrigger> WithinDeadline<T> {
    /// Launches what `trigger` does, while at least the p50 of the key's latencies is left.
    #[must_use]
    pub const fn new(trigger: T) -> Self {
        WithinDeadline { trigger, needs: USUAL }
    }

    /// The same with another quantile of the key's latencies for the time that a hedge needs; its floor and its least
    /// number of samples count too.
    #[must_use]
    pub fn with_quantile(self, needs: Quantile) -> Self {
        WithinDeadline { needs, ..self }
    }
}

impl<T: HedgeTrigger> HedgeTrigger for WithinDeadline<T> {
    fn should_spawn_hedge(&self, state: &HedgeState) -> HedgeDecision {
        in_time(|| self.needs.of(state.latency()), state, || self.trigger.should_spawn_hedge(state))
    }

    fn wants_latency(&self) -> bool {
        true
    }

    fn wants_failures(&self) -> bool {
        self.trigger.wants_failures()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FixedDelay, OnFailure};
    use recourse_core::{LatencySnapshot, Moment};
    use std::time::Duration;

    const MS: Duration = Duration::from_millis(1);

    fn state(elapsed: Duration, left: Option<Duration>) -> HedgeState {
        let latency = LatencySnapshot::new(MS * 30, MS * 60, MS * 80, MS * 300, 1_000);
        HedgeState::new(Moment::ZERO, Moment::ZERO + elapsed, 1, 2, MS * 100)
            .with_latency(Some(latency))
            .with_time_left(left)
    }

    #[test]
    fn without_a_deadline_or_samples_the_trigger_within_decides() {
        let trigger = WithinDeadline::new(FixedDelay);
        for state in
            [state(MS * 100, None), state(MS * 100, Some(MS)).with_latency(None), state(MS * 10, None)]
        {
            assert_eq!(trigger.should_spawn_hedge(&state), FixedDelay.should_spawn_hedge(&state));
        }
    }

    #[test]
    fn a_hedge_needs_the_quantile_that_was_asked_for() {
        let late = state(MS * 100, Some(MS * 200));
        assert!(WithinDeadline::new(FixedDelay).should_spawn_hedge(&late).spawn);
        for (quantile, launches) in [(Quantile::P95, true), (Quantile::P99, false)] {
            let trigger = WithinDeadline::new(FixedDelay).with_quantile(quantile);
            assert_eq!(trigger.should_spawn_hedge(&late).spawn, launches, "{}", quantile.name());
        }
    }

    #[test]
    fn a_check_that_comes_too_late_is_not_waited_for() {
        let trigger = WithinDeadline::new(FixedDelay);
        let wait = |left| trigger.should_spawn_hedge(&state(MS * 10, Some(left))).next_check_in;
        assert_eq!(wait(MS * 120), Some(MS * 90));
        assert_eq!(wait(MS * 119), None);
        let last = trigger.should_spawn_hedge(&state(MS * 100, Some(MS * 50)));
        assert_eq!(last, HedgeDecision::spawn(), "a second one could not finish");
    }

    #[test]
    fn it_asks_for_what_the_trigger_within_asks_for() {
        assert!(!WithinDeadline::new(FixedDelay).wants_failures());
        let trigger = WithinDeadline::new(OnFailure::new(FixedDelay));
        assert!(trigger.wants_failures() && trigger.wants_latency());
        let failed = |left| state(MS, Some(left)).with_failed(1).with_after_failure(true);
        assert!(trigger.should_spawn_hedge(&failed(MS * 40)).spawn);
        assert!(!trigger.should_spawn_hedge(&failed(MS * 20)).spawn);
    }
}
