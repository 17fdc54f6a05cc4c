//! [`BudgetConfigError`]: why a budget can't be built from what was given.

use std::fmt;

/// A value from which no budget can be built.
///
/// ```
/// use recourse_budget::TokenBucket;
///
/// let error = TokenBucket::new(100, -1.0).unwrap_err();
/// assert_eq!((error.field, error.value.as_str()), ("refill_per_second", "-1"));
/// assert!(error.to_string().starts_with("refill_per_second = -1 is not allowed: "));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BudgetConfigError {
    /// The parameter's name.
    pub field: &'static str,
    /// The value as it was given.
    pub value: String,
    /// What is allowed there, and why.
    pub allowed: &'static str,
}

impl BudgetConfigError {
    pub(crate) fn new(field: &'static str, value: impl fmt::Display, allowed: &'static str) -> Self {
        BudgetConfigError { field, value: value.to_string(), allowed }
    }
}

impl fmt::Display for BudgetConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {} is not allowed: {}", self.field, self.value, self.allowed)
    }
}

impl std::error::Error for BudgetConfigError {}
