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
