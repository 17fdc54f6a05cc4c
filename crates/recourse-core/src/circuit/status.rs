//! [`CircuitStatus`]: where a circuit stands.

use super::mode::CircuitMode;
use super::state::{CircuitState, Transition};

/// Where a circuit stands, and why.
///
/// ```
/// use recourse_core::{CircuitState, CircuitStatus};
///
/// let status = CircuitStatus::new(CircuitState::Closed);
/// assert_eq!((status.counted, status.last_trip), (0, None));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CircuitStatus {
    /// The state.
    pub state: CircuitState,
    /// What the breaker does with its verdicts.
    pub mode: CircuitMode,
    /// Attempts that count towards the next verdict; while the circuit isn't closed, those behind its last trip.
    pub counted: u64,
    /// Of these, the ones that failed.
    pub failed: u64,
    /// Of these, the ones that were too slow; 0 where the breaker doesn't judge that.
    pub slow: u64,
    /// Probes that are out.
    pub probes: u32,
    /// The change that opened the circuit last.
    pub last_trip: Option<Transition>,
    /// Attempts that were let through because the breaker observes and that it would have rejected otherwise, since it was
    /// made. Where they fail and are retried, there are more of them than it would reject if it enforced.
    pub observed_rejections: u64,
}

impl CircuitStatus {
    /// A circuit in this state that has counted nothing.
    #[must_use]
    #[inline]
    pub const fn new(state: CircuitState) -> Self {
        CircuitStatus {
            state,
            mode: CircuitMode::Enforcing,
            counted: 0,
            failed: 0,
            slow: 0,
            probes: 0,
            last_trip: None,
            observed_rejections: 0,
        }
    }
}
