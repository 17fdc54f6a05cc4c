//! Why a breaker changed its state: the causes in a [`Transition`](recourse_core::Transition). Stable for v1.x.

/// `consecutive_failures`: as many attempts in a row as the threshold says have failed.
pub const CONSECUTIVE_FAILURES: &str = "consecutive_failures";
/// `cooldown_over`: the circuit was open for its cooldown, and an attempt asked.
pub const COOLDOWN_OVER: &str = "cooldown_over";
/// `probe_succeeded`: the probe of a half-open circuit voted Up.
pub const PROBE_SUCCEEDED: &str = "probe_succeeded";
/// `probe_failed`: the probe of a half-open circuit voted Down.
pub const PROBE_FAILED: &str = "probe_failed";

/// Every cause with its meaning.
///
/// ```
/// assert!(recourse_circuit::cause::ALL.iter().any(|(cause, _)| *cause == "probe_failed"));
/// ```
pub const ALL: &[(&str, &str)] = &[
    (CONSECUTIVE_FAILURES, "as many attempts in a row as the threshold says have failed"),
    (COOLDOWN_OVER, "the circuit was open for its cooldown, and an attempt asked"),
    (PROBE_SUCCEEDED, "the probe of a half-open circuit succeeded"),
    (PROBE_FAILED, "the probe of a half-open circuit failed"),
];
