//! [`CircuitPolicy`]: when to stop calling.

use crate::label::Label;
use crate::policy::limits;
use std::time::Duration;

/// How the circuit breaker behaves. Off unless `enabled`; see [`limits::TABLE`].
///
/// The threshold counts attempts: with three attempts a call, a threshold of 5 trips in the second call.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(::serde::Serialize, ::serde::Deserialize),
    serde(remote = "Self", deny_unknown_fields, default)
)]
#[non_exhaustive]
pub struct CircuitPolicy {
    /// Whether a breaker is asked at all.
    #[cfg_attr(feature = "serde", serde(with = "crate::policy::serde::circuit_enabled"))]
    pub enabled: bool,
    /// The breaker's name; empty for `consecutive_failures`.
    #[cfg_attr(feature = "serde", serde(with = "crate::policy::serde::breaker_name"))]
    pub breaker_name: Label,
    /// Failed attempts that open the circuit: in a row for the default breaker; for those that judge a ratio, so many
    /// there must be as well. An attempt that is given up counts from the eleventh in a row without an answer on.
    #[cfg_attr(feature = "serde", serde(with = "crate::policy::serde::threshold"))]
    pub threshold: u32,
    /// How long the circuit stays open before it lets a probe through; the first time, where that grows.
    #[cfg_attr(feature = "serde", serde(with = "crate::policy::serde::cooldown"))]
    pub cooldown: Duration,
}

impl Default for CircuitPolicy {
    fn default() -> Self {
        CircuitPolicy {
            enabled: false,
            breaker_name: Label::EMPTY,
            threshold: limits::DEFAULT_THRESHOLD,
            cooldown: limits::DEFAULT_COOLDOWN,
        }
    }
}
