//! [`HedgePolicy`]: when a second attempt may race the first.

use crate::label::Label;
use crate::policy::{BudgetRef, limits};
use std::time::Duration;

/// How attempts are hedged. Off unless `enabled`; see [`limits::TABLE`].
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(::serde::Serialize, ::serde::Deserialize),
    serde(remote = "Self", deny_unknown_fields, default)
)]
#[non_exhaustive]
pub struct HedgePolicy {
    /// Whether attempts are hedged at all.
    #[cfg_attr(feature = "serde", serde(with = "crate::policy::serde::hedge_enabled"))]
    pub enabled: bool,
    /// Hedges launched beside one primary, at most.
    #[cfg_attr(feature = "serde", serde(with = "crate::policy::serde::max_hedges"))]
    pub max_hedges: u32,
    /// The delay that the fixed-delay trigger uses.
    #[cfg_attr(feature = "serde", serde(with = "crate::policy::serde::hedge_delay"))]
    pub hedge_delay: Duration,
    /// The trigger's name; empty for the fixed delay.
    #[cfg_attr(feature = "serde", serde(with = "crate::policy::serde::trigger_name"))]
    pub trigger_name: Label,
    /// Whether the first non-retryable or abort outcome ends the group at once.
    #[cfg_attr(feature = "serde", serde(with = "crate::policy::serde::cancel_on_first_terminal"))]
    pub cancel_on_first_terminal: bool,
    /// What pays for the hedges.
    pub budget: BudgetRef,
}

impl Default for HedgePolicy {
    fn default() -> Self {
        HedgePolicy {
            enabled: false,
            max_hedges: limits::DEFAULT_MAX_HEDGES,
            hedge_delay: limits::DEFAULT_HEDGE_DELAY,
            trigger_name: Label::EMPTY,
            cancel_on_first_terminal: false,
            budget: BudgetRef::default(),
        }
    }
}
