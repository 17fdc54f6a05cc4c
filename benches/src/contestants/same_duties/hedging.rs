//! [`Hedging`]: what a row's policy says of hedges.

use recourse::HedgeTrigger;
use std::sync::Arc;
use std::time::Duration;

/// What a policy says of hedges.
pub(super) struct Hedging<P> {
    pub(super) trigger: Arc<dyn HedgeTrigger>,
    pub(super) most: u32,
    pub(super) delay: Duration,
    pub(super) purse: P,
}

impl<P> Hedging<P> {
    /// # Panics
    ///
    /// If the trigger wants latencies, or to hear of failures: no row's does.
    pub(super) fn new(trigger: Arc<dyn HedgeTrigger>, most: u32, delay: Duration, purse: P) -> Self {
        assert!(!trigger.wants_latency() && !trigger.wants_failures());
        Hedging { trigger, most, delay, purse }
    }
}
