//! [`HedgeConfigError`]: why a trigger can't be built from what was given.

use std::fmt;

/// A value from which no trigger can be built.
///
/// ```
/// use recourse_hedge::ExtraLoad;
///
/// let error = ExtraLoad::percent(-2.0).unwrap_err();
/// assert_eq!((error.field, error.value.as_str()), ("percent", "-2"));
/// assert!(error.to_string().starts_with("percent = -2 is not allowed: "));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HedgeConfigError {
    /// The parameter's name.
    pub field: &'static str,
    /// The value as it was given.
    pub value: String,
    /// What is allowed there, and why.
    pub allowed: &'static str,
}

impl HedgeConfigError {
    pub(crate) fn new(field: &'static str, value: impl fmt::Display, allowed: &'static str) -> Self {
        HedgeConfigError { field, value: value.to_string(), allowed }
    }
}

impl fmt::Display for HedgeConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {} is not allowed: {}", self.field, self.value, self.allowed)
    }
}

impl std::error::Error for HedgeConfigError {}
