//! [`CircuitMode`]: what overrides a breaker.

use std::fmt;

/// What a breaker does with its verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum CircuitMode {
    /// It opens and closes by what it counts.
    #[default]
    Enforcing,
    /// It counts, changes its state and tells of it, and rejects nothing.
    Observing,
    /// It rejects every attempt.
    ForcedOpen,
    /// It admits every attempt and keeps its state closed.
    ForcedClosed,
    /// It admits every attempt and counts nothing.
    Disabled,
}

impl CircuitMode {
    /// The name in telemetry: `enforcing`, `observing`, `forced_open`, `forced_closed` or `disabled`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            CircuitMode::Enforcing => "enforcing",
            CircuitMode::Observing => "observing",
            CircuitMode::ForcedOpen => "forced_open",
            CircuitMode::ForcedClosed => "forced_closed",
            CircuitMode::Disabled => "disabled",
        }
    }
}

impl fmt::Display for CircuitMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
