//! [`builtin`]: every trigger of this crate under its registry name.

use crate::fixed_delay::FixedDelay;
use crate::quantile::Quantile;
use crate::within_deadline::WithinDeadline;
use recourse_core::HedgeTrigger;
use std::sync::Arc;

/// Every trigger of this crate under its registry name.
///
/// ```
/// use recourse_core::{HedgeTrigger, Registry};
///
/// let triggers: Registry<dyn HedgeTrigger> = Registry::new();
/// for (name, trigger) in recourse_hedge::builtin() {
///     triggers.register(name, trigger)?;
/// }
/// # Ok::<(), recourse_core::RegistryError>(())
/// ```
#[must_use]
pub fn builtin() -> [(&'static str, Arc<dyn HedgeTrigger>); 6] {
    [
        (FixedDelay::NAME, Arc::new(FixedDelay)),
        (WithinDeadline::NAME, Arc::new(WithinDeadline::new(FixedDelay))),
        (Quantile::P50.name(), Arc::new(Quantile::P50)),
        (Quantile::P90.name(), Arc::new(Quantile::P90)),
        (Quantile::P95.name(), Arc::new(Quantile::P95)),
        (Quantile::P99.name(), Arc::new(Quantile::P99)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_stable_and_only_the_fixed_delay_wants_no_latencies() {
        let found = builtin().map(|(name, trigger)| (name, trigger.wants_latency()));
        assert_eq!(
            found,
            [
                ("fixed_delay", false),
                ("fixed_delay_within_deadline", true),
                ("p50", true),
                ("p90", true),
                ("p95", true),
                ("p99", true),
            ]
        );
    }
}
