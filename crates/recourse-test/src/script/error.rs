//! [`ScriptedError`]: the error of a scripted failure.

use std::fmt;

/// The error of a scripted failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ScriptedError {
    /// Which attempt failed, in the order of the launches, from 0; hedges count.
    pub number: u32,
}

impl ScriptedError {
    /// The failure of the attempt with this number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        ScriptedError { number }
    }
}

impl fmt::Display for ScriptedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "scripted failure {}", self.number)
    }
}

impl std::error::Error for ScriptedError {}
