//! [`SlowCalls`]: breakers that judge slowness beside failure.

use crate::breakers::Breakers;
use crate::failure_ratio::{ATTEMPTS, FailureRatio, RATIO};
use crate::settings::{self, SettingsError};
use std::time::Duration;

/// The name under which an executor finds [`SlowCalls`] with its defaults: over 100 attempts, slower than 5 s.
pub const SLOW_CALLS: &str = "slow_calls";

/// Longer than people wait; choose your own limit from the latencies of the other side.
pub(crate) const LIMIT: Duration = Duration::from_secs(5);
/// A shorter time can't be told from the scheduler's.
const LEAST_LIMIT: Duration = Duration::from_millis(1);

/// Opens when too large a part of the attempts in a window was slow, or has failed.
///
/// An attempt is slow that takes longer than the limit, from its admission to its report, whatever its answer. One that
/// is given up later than that is counted as slow too: so a side that hedges always win against opens the circuit in
/// the end. Slow and failed attempts are judged apart, in one window, each against its own ratio;
/// [`FailureRatio`] says how.
///
/// | setting | read as |
/// |---|---|
/// | `circuit.threshold` | slow attempts, or failures, that the window must hold before their ratio is judged; at most as many as a window over attempts holds |
/// | `circuit.cooldown` | how long the circuit stays open the first time; see [`Recovery`](crate::Recovery) |
///
/// | option | default | allowed |
/// |---|---|---|
/// | limit | 5 s under the registered name | at least 1 ms |
/// | [`slow_ratio`](Self::slow_ratio) | 0.5 | 0.000001 to 1 |
/// | [`beside`](Self::beside) | [`FailureRatio::over_attempts`]`(100)`: its window, ratio of failures and all else | |
///
/// A slow probe opens a half-open circuit again. This breaker reads the clock when an attempt is admitted and when it
/// ends; no other kind reads it at admission.
///
/// The ratio of slow calls is resilience4j's.
///
/// ```
/// use recourse_circuit::{FailureRatio, SlowCalls};
/// use std::time::Duration;
///
/// let kind = SlowCalls::longer_than(Duration::from_millis(800))
///     .slow_ratio(0.3)
///     .beside(FailureRatio::over_time(Duration::from_secs(20)).ratio(0.5))
///     .build()?;
/// # let _ = kind;
/// # Ok::<(), recourse_circuit::SettingsError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlowCalls {
    limit: Duration,
    ratio: f64,
    failures: FailureRatio,
}

impl SlowCalls {
    /// An attempt is slow that takes longer than `limit`.
    #[must_use]
    pub fn longer_than(limit: Duration) -> Self {
        SlowCalls { limit, ratio: RATIO, failures: FailureRatio::over_attempts(ATTEMPTS) }
    }

    /// The part of the attempts whose slowness opens the circuit.
    #[must_use]
    pub const fn slow_ratio(mut self, ratio: f64) -> Self {
        self.ratio = ratio;
        self
    }

    /// The window, how its failures are judged, and how the circuit comes back. To judge slowness alone, give it a
    /// ratio of 1.
    #[must_use]
    pub const fn beside(mut self, failures: FailureRatio) -> Self {
        self.failures = failures;
        self
    }

    /// The kind, ready to be registered.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] if an option is outside its limits.
    pub fn build(&self) -> Result<Breakers, SettingsError> {
        settings::at_least("longer_than", self.limit, LEAST_LIMIT)?;
        self.failures.build_with(Some((self.limit, self.ratio)))
    }
}
