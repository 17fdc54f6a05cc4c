//! [`RetryPolicy`] and [`Jitter`]: attempts, waits and timeouts.

use crate::label::Label;
use crate::policy::{BudgetRef, limits};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// How attempts follow one another. See [`limits::TABLE`] for defaults and limits.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(::serde::Serialize, ::serde::Deserialize),
    serde(remote = "Self", deny_unknown_fields, default)
)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// Attempt groups of a call, the first included.
    #[cfg_attr(feature = "serde", serde(with = "crate::policy::serde::max_attempts"))]
    pub max_attempts: u32,
    /// The wait before the second attempt, before jitter.
    #[cfg_attr(feature = "serde", serde(with = "crate::policy::serde::initial_backoff"))]
    pub initial_backoff: Duration,
    /// No computed wait is longer than this.
    #[cfg_attr(feature = "serde", serde(with = "crate::policy::serde::max_backoff"))]
    pub max_backoff: Duration,
    /// Each wait is this many times the one before.
    #[cfg_attr(feature = "serde", serde(with = "crate::policy::serde::backoff_multiplier"))]
    pub backoff_multiplier: f64,
    /// How waits are spread so that clients don't march in step.
    #[cfg_attr(feature = "serde", serde(with = "crate::policy::serde::jitter"))]
    pub jitter: Jitter,
    /// The longest wait that a server may ask for; a longer one ends the call.
    #[cfg_attr(feature = "serde", serde(with = "crate::policy::serde::max_server_delay"))]
    pub max_server_delay: Duration,
    /// The time an attempt may take; no limit where it is off.
    #[cfg_attr(feature = "serde", serde(with = "crate::policy::serde::timeout_per_attempt"))]
    pub timeout_per_attempt: Option<Duration>,
    /// The time the whole call may take, waits included; no limit where it is off.
    #[cfg_attr(feature = "serde", serde(with = "crate::policy::serde::overall_timeout"))]
    pub overall_timeout: Option<Duration>,
    /// The classifier's name; empty for the executor's default.
    #[cfg_attr(feature = "serde", serde(with = "crate::policy::serde::classifier_name"))]
    pub classifier_name: Label,
    /// Whether a call that runs inside an attempt of another call makes one attempt only, as long as that attempt may be
    /// retried itself: so that retries of nested calls don't multiply.
    #[cfg_attr(feature = "serde", serde(with = "crate::policy::serde::leave_to_outer"))]
    pub leave_to_outer: bool,
    /// What pays for the primary attempts.
    pub budget: BudgetRef,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        RetryPolicy {
            max_attempts: limits::DEFAULT_MAX_ATTEMPTS,
            initial_backoff: limits::DEFAULT_INITIAL_BACKOFF,
            max_backoff: limits::DEFAULT_MAX_BACKOFF,
            backoff_multiplier: limits::DEFAULT_BACKOFF_MULTIPLIER,
            jitter: Jitter::Full,
            max_server_delay: limits::DEFAULT_MAX_SERVER_DELAY,
            timeout_per_attempt: None,
            overall_timeout: None,
            classifier_name: Label::EMPTY,
            leave_to_outer: false,
            budget: BudgetRef::default(),
        }
    }
}

/// How a wait is spread, with `b` the capped exponential backoff. The cap comes first, the jitter after.
///
/// Source of the four: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Jitter {
    /// Exactly `b`: clients that failed together come back together.
    None,
    /// Uniform in `[0, b]`.
    #[default]
    Full,
    /// Uniform in `[b/2, b]`.
    Equal,
    /// Uniform in `[initial_backoff, min(max_backoff, 3 x the wait before)]`.
    Decorrelated,
}

impl Jitter {
    /// Every kind, in the order of their names in the documentation.
    pub const ALL: [Jitter; 4] = [Jitter::None, Jitter::Full, Jitter::Equal, Jitter::Decorrelated];

    /// The name in a policy file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Jitter::None => "none",
            Jitter::Full => "full",
            Jitter::Equal => "equal",
            Jitter::Decorrelated => "decorrelated",
        }
    }
}

impl fmt::Display for Jitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that names no [`Jitter`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownJitter(String);

impl fmt::Display for UnknownJitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "retry.jitter = {:?} is not allowed: {}", self.0, limits::allowed("retry.jitter"))
    }
}

impl std::error::Error for UnknownJitter {}

impl FromStr for Jitter {
    type Err = UnknownJitter;
    fn from_str(text: &str) -> Result<Self, UnknownJitter> {
        Jitter::ALL
            .into_iter()
            .find(|jitter| jitter.as_str() == text)
            .ok_or_else(|| UnknownJitter(text.to_owned()))
    }
}
