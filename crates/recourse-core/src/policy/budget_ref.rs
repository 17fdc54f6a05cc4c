//! [`BudgetRef`]: which budget pays for an attempt, and how much.

use crate::label::Label;
use crate::policy::limits;

/// The name of a registered budget and what one attempt costs it. An empty name means no budget.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(::serde::Serialize, ::serde::Deserialize),
    serde(remote = "Self", deny_unknown_fields, default)
)]
#[non_exhaustive]
pub struct BudgetRef {
    /// The budget's name; empty for none.
    #[cfg_attr(feature = "serde", serde(with = "crate::policy::serde::budget_name"))]
    pub name: Label,
    /// What one attempt costs, in the budget's units; at least 1.
    #[cfg_attr(feature = "serde", serde(with = "crate::policy::serde::cost"))]
    pub cost: u32,
}

impl BudgetRef {
    /// A reference at cost 1.
    #[must_use]
    pub fn new(name: impl Into<Label>) -> Self {
        BudgetRef { name: name.into(), cost: limits::DEFAULT_COST }
    }
}

impl Default for BudgetRef {
    fn default() -> Self {
        BudgetRef::new(Label::EMPTY)
    }
}
