//! [`PolicyError`]: a value that no normalisation can mend.

use crate::policy::limits;
use std::fmt;

/// A policy field whose value is no number that could be normalised: NaN, infinite or negative, or a zero constant delay.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyError {
    /// The field's dotted path.
    pub field: &'static str,
    /// The value as it was given.
    pub value: String,
    /// What is allowed there.
    pub allowed: String,
}

impl PolicyError {
    pub(crate) fn new(field: &'static str, value: impl fmt::Display) -> Self {
        PolicyError { field, value: value.to_string(), allowed: limits::allowed(field).to_owned() }
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {} is not allowed: {}", self.field, self.value, self.allowed)
    }
}

impl std::error::Error for PolicyError {}
