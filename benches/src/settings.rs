//! The numbers that every contestant is given, where it takes such a number.

use std::time::Duration;

/// Attempts of a call, the first included.
pub const ATTEMPTS: u32 = 3;
/// The time limit of an attempt.
pub const TIMEOUT: Duration = Duration::from_secs(10);
/// The wait before a hedge.
pub const HEDGE_AFTER: Duration = Duration::from_millis(100);
/// Failures in a row that open a circuit.
pub const THRESHOLD: u32 = 5;
/// How long a circuit stays open: longer than any run.
pub const OPEN_FOR: Duration = Duration::from_secs(3_600);
/// The stretch of time that a breaker over a time window looks at.
pub const WINDOW: Duration = Duration::from_secs(10);
/// The share of successes in the window below which the circuit opens.
pub const WINDOW_SUCCESSES: f64 = 0.5;
/// Calls in the window from which on the share counts.
pub const WINDOW_CALLS: u32 = 10;
