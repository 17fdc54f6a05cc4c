//! [`builtin`]: every kind of this crate under its registry name.

use crate::consecutive::{CONSECUTIVE_FAILURES, consecutive_failures};
use crate::failure_ratio::{ATTEMPTS, FAILURE_RATIO_COUNT, FAILURE_RATIO_TIME, FailureRatio, WINDOW};
use crate::slow_calls::{LIMIT, SLOW_CALLS, SlowCalls};
use recourse_core::BreakerFactory;
use std::sync::Arc;

/// Every kind of this crate with its defaults, under its registry name.
///
/// ```
/// use recourse_core::{BreakerFactory, Registry};
///
/// let breakers = Registry::<dyn BreakerFactory>::new();
/// for (name, kind) in recourse_circuit::builtin() {
///     breakers.register_shared(name, kind)?;
/// }
/// # Ok::<(), recourse_core::RegistryError>(())
/// ```
#[must_use]
pub fn builtin() -> [(&'static str, Arc<dyn BreakerFactory>); 4] {
    let defaults = "the defaults are inside their limits";
    [
        (CONSECUTIVE_FAILURES, Arc::new(consecutive_failures)),
        (FAILURE_RATIO_COUNT, Arc::new(FailureRatio::over_attempts(ATTEMPTS).build().expect(defaults))),
        (FAILURE_RATIO_TIME, Arc::new(FailureRatio::over_time(WINDOW).build().expect(defaults))),
        (SLOW_CALLS, Arc::new(SlowCalls::longer_than(LIMIT).build().expect(defaults))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_stable() {
        let names = builtin().map(|(name, _)| name);
        assert_eq!(
            names,
            ["consecutive_failures", "failure_ratio_count", "failure_ratio_time", "slow_calls"]
        );
    }
}
