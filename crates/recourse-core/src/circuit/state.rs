//! [`CircuitState`] and the [`Transition`] from one to another.

use crate::label::Label;
use crate::time::Moment;
use std::fmt;

/// The three states of a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CircuitState {
    /// Attempts go through.
    Closed,
    /// Attempts are rejected until the cooldown is over.
    Open,
    /// As many probes go through as the breaker allows: one at a time, by default.
    HalfOpen,
}

impl CircuitState {
    /// The name in timelines: `closed`, `open` or `half_open`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            CircuitState::Closed => "closed",
            CircuitState::Open => "open",
            CircuitState::HalfOpen => "half_open",
        }
    }
}

impl fmt::Display for CircuitState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A change of a breaker's state, or of its mode.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transition {
    /// The state before.
    pub from: CircuitState,
    /// The state after.
    pub to: CircuitState,
    /// Why, as a low-cardinality code; where a mode was set, the mode's name.
    pub cause: Label,
    /// When.
    pub at: Moment,
}

impl Transition {
    /// A change of state.
    #[must_use]
    #[inline]
    pub fn new(from: CircuitState, to: CircuitState, cause: impl Into<Label>, at: Moment) -> Self {
        Transition { from, to, cause: cause.into(), at }
    }
}
