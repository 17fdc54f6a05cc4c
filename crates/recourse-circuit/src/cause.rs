//! Why a breaker changed its state: the causes in a [`Transition`](recourse_core::Transition). Stable for v1.x.

use recourse_core::{CircuitMode, Label};

/// `consecutive_failures`: as many attempts in a row as the threshold says have failed.
pub const CONSECUTIVE_FAILURES: &str = "consecutive_failures";
/// `failure_ratio`: too large a part of the attempts in the window has failed.
pub const FAILURE_RATIO: &str = "failure_ratio";
/// `slow_calls`: too large a part of the attempts in the window was slow.
pub const SLOW_CALLS: &str = "slow_calls";
/// `abandoned`: the attempt that was one too many was given up without an answer, as those before it.
pub const ABANDONED: &str = "abandoned";
/// `cooldown_over`: the circuit was open for as long as it had to be, and an attempt asked.
pub const COOLDOWN_OVER: &str = "cooldown_over";
/// `probe_succeeded`: the last of the probes that a half-open circuit needs voted Up.
pub const PROBE_SUCCEEDED: &str = "probe_succeeded";
/// `probe_failed`: a probe of a half-open circuit voted Down, or was throttled.
pub const PROBE_FAILED: &str = "probe_failed";
/// `probe_slow`: a probe of a half-open circuit took longer than the limit.
pub const PROBE_SLOW: &str = "probe_slow";
/// `enforcing`: the mode was set from outside; the circuit goes by what it counts again.
pub const ENFORCING: &str = CircuitMode::Enforcing.as_str();
/// `observing`: the mode was set from outside; the circuit rejects nothing from now on.
pub const OBSERVING: &str = CircuitMode::Observing.as_str();
/// `forced_open`: the mode was set from outside; the circuit rejects everything from now on.
pub const FORCED_OPEN: &str = CircuitMode::ForcedOpen.as_str();
/// `forced_closed`: the mode was set from outside; the circuit stays closed from now on.
pub const FORCED_CLOSED: &str = CircuitMode::ForcedClosed.as_str();
/// `disabled`: the mode was set from outside; the circuit is off from now on.
pub const DISABLED: &str = CircuitMode::Disabled.as_str();

/// Every cause with its meaning.
///
/// ```
/// assert!(recourse_circuit::cause::ALL.iter().any(|(cause, _)| *cause == "probe_failed"));
/// ```
pub const ALL: &[(&str, &str)] = &[
    (CONSECUTIVE_FAILURES, "as many attempts in a row as the threshold says have failed"),
    (FAILURE_RATIO, "too large a part of the attempts in the window has failed"),
    (SLOW_CALLS, "too large a part of the attempts in the window was slow"),
    (ABANDONED, "one attempt too many was given up without an answer"),
    (COOLDOWN_OVER, "the circuit was open for its time, and an attempt asked"),
    (PROBE_SUCCEEDED, "the probes of a half-open circuit succeeded"),
    (PROBE_FAILED, "a probe of a half-open circuit failed"),
    (PROBE_SLOW, "a probe of a half-open circuit was slow"),
    (ENFORCING, "the mode was set: the circuit goes by what it counts again"),
    (OBSERVING, "the mode was set: the circuit rejects nothing from now on"),
    (FORCED_OPEN, "the mode was set: the circuit rejects everything from now on"),
    (FORCED_CLOSED, "the mode was set: the circuit stays closed from now on"),
    (DISABLED, "the mode was set: the circuit is off from now on"),
];

/// The cause of a change that setting this mode makes: its name.
pub(crate) fn of_mode(mode: CircuitMode) -> Label {
    Label::from_static(mode.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_is_told_once() {
        let causes: std::collections::BTreeSet<_> = ALL.iter().map(|(cause, _)| cause).collect();
        assert_eq!(causes.len(), ALL.len());
    }
}
