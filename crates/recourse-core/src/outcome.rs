//! [`Outcome`]: what a classifier says of one attempt's result.

use crate::attributes::Attributes;
use crate::label::Label;
use crate::reason;
use std::fmt;
use std::time::Duration;

/// What the classifier said of one attempt's result.
///
/// ```
/// use recourse_core::{Outcome, OutcomeKind};
/// use std::time::Duration;
///
/// let outcome = Outcome::retryable("http_429").with_attribute("status", "429").with_backoff(Duration::from_secs(2));
/// assert_eq!(outcome.kind, OutcomeKind::Retryable);
/// assert_eq!(Outcome::retryable("").reason, "retryable_error");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// What the executor does next.
    pub kind: OutcomeKind,
    /// Why, as a low-cardinality code; never empty.
    pub reason: Label,
    /// Low-cardinality names and values.
    pub attributes: Attributes,
    /// A wait that the other side asked for: it replaces the computed backoff and is never undercut.
    pub backoff: Option<Duration>,
    /// What the circuit breaker is told of the attempt.
    pub health: Health,
}

/// What the executor does after an attempt. Ordered by severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum OutcomeKind {
    /// Return it.
    Success,
    /// Try again, if the policy allows.
    Retryable,
    /// Return the failure: trying again would not help.
    NonRetryable,
    /// Return the failure now.
    Abort,
    /// The classifier can't say; the executor treats it as [`Abort`](OutcomeKind::Abort).
    Unknown,
}

/// An attempt's vote to the circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Health {
    /// The other side answered as it should.
    Up,
    /// The other side failed.
    Down,
    /// The other side works, and asked for less: 429, `RESOURCE_EXHAUSTED`. How much it weighs is the breaker's to say:
    /// a whole failure for the default one, half of one for those that judge a ratio.
    Throttled,
    /// The attempt says nothing about the other side.
    None,
}

impl Outcome {
    /// The attempt succeeded.
    #[must_use]
    #[inline]
    pub const fn success() -> Self {
        Outcome::plain(OutcomeKind::Success, Label::from_static(reason::SUCCESS))
    }

    /// The attempt failed and may be retried.
    #[must_use]
    #[inline]
    pub fn retryable(reason: impl Into<Label>) -> Self {
        Outcome::of(OutcomeKind::Retryable, reason)
    }

    /// The attempt failed and must not be retried.
    #[must_use]
    #[inline]
    pub fn non_retryable(reason: impl Into<Label>) -> Self {
        Outcome::of(OutcomeKind::NonRetryable, reason)
    }

    /// The call must end now.
    #[must_use]
    #[inline]
    pub fn abort(reason: impl Into<Label>) -> Self {
        Outcome::of(OutcomeKind::Abort, reason)
    }

    /// The classifier can't say; the executor treats it as an abort with reason `unknown_outcome`.
    #[must_use]
    pub fn unknown() -> Self {
        Outcome::of(OutcomeKind::Unknown, reason::UNKNOWN_OUTCOME)
    }

    /// An outcome of any kind, with that kind's usual health vote. An empty reason becomes the kind's own.
    #[must_use]
    #[inline]
    pub fn of(kind: OutcomeKind, reason: impl Into<Label>) -> Self {
        let reason = reason.into();
        Outcome::plain(
            kind,
            if reason.is_empty() { Label::from_static(kind.default_reason()) } else { reason },
        )
    }

    #[inline]
    const fn plain(kind: OutcomeKind, reason: Label) -> Self {
        Outcome { kind, reason, attributes: Attributes::new(), backoff: None, health: kind.default_health() }
    }

    /// The same with one more attribute.
    #[must_use]
    pub fn with_attribute(mut self, name: impl Into<Label>, value: impl Into<Label>) -> Self {
        self.attributes.set(name, value);
        self
    }

    /// The same with a wait that the other side asked for; a zero wait asks for nothing.
    #[must_use]
    #[inline]
    pub fn with_backoff(mut self, wait: Duration) -> Self {
        self.backoff = (!wait.is_zero()).then_some(wait);
        self
    }

    /// The same with another vote to the circuit breaker.
    #[must_use]
    #[inline]
    pub fn with_health(mut self, health: Health) -> Self {
        self.health = health;
        self
    }

    /// What the executor obeys: an unknown kind becomes an abort, an empty reason the kind's own.
    #[must_use]
    #[inline]
    pub fn settled(mut self) -> Self {
        if self.kind == OutcomeKind::Unknown {
            self.kind = OutcomeKind::Abort;
            self.reason = Label::from_static(reason::UNKNOWN_OUTCOME);
        }
        if self.reason.is_empty() {
            self.reason = Label::from_static(self.kind.default_reason());
        }
        self
    }
}

impl OutcomeKind {
    /// The name in timelines.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            OutcomeKind::Success => "success",
            OutcomeKind::Retryable => "retryable",
            OutcomeKind::NonRetryable => "non_retryable",
            OutcomeKind::Abort => "abort",
            OutcomeKind::Unknown => "unknown",
        }
    }

    /// The reason of an outcome that gives none.
    #[must_use]
    #[inline]
    pub const fn default_reason(self) -> &'static str {
        match self {
            OutcomeKind::Success => reason::SUCCESS,
            OutcomeKind::Retryable => reason::RETRYABLE_ERROR,
            OutcomeKind::NonRetryable => reason::NON_RETRYABLE_ERROR,
            OutcomeKind::Abort => reason::ABORT,
            OutcomeKind::Unknown => reason::UNKNOWN_OUTCOME,
        }
    }

    /// The usual vote: a success and a non-retryable failure show that the other side answers, a retryable one that
    /// it does not, an abort nothing.
    #[must_use]
    #[inline]
    pub const fn default_health(self) -> Health {
        match self {
            OutcomeKind::Success | OutcomeKind::NonRetryable => Health::Up,
            OutcomeKind::Retryable => Health::Down,
            OutcomeKind::Abort | OutcomeKind::Unknown => Health::None,
        }
    }
}

impl fmt::Display for OutcomeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_reason_becomes_the_kinds_own() {
        assert_eq!(Outcome::retryable("").reason, "retryable_error");
        assert_eq!(Outcome::non_retryable("").reason, "non_retryable_error");
        assert_eq!(Outcome::abort("").reason, "abort");
        assert_eq!(Outcome::success().reason, "success");
        let mut emptied = Outcome::retryable("x");
        emptied.reason = Label::EMPTY;
        assert_eq!(emptied.settled().reason, "retryable_error");
    }

    #[test]
    fn an_unknown_outcome_is_settled_as_an_abort() {
        let settled = Outcome::of(OutcomeKind::Unknown, "whatever").settled();
        assert_eq!((settled.kind, settled.reason.as_str()), (OutcomeKind::Abort, "unknown_outcome"));
    }

    #[test]
    fn health_votes_follow_the_kind() {
        assert_eq!(Outcome::success().health, Health::Up);
        assert_eq!(Outcome::retryable("").health, Health::Down);
        assert_eq!(Outcome::non_retryable("").health, Health::Up);
        assert_eq!(Outcome::abort("").health, Health::None);
    }

    #[test]
    fn severity_grows_from_success_to_abort() {
        assert!(OutcomeKind::Success < OutcomeKind::Retryable);
        assert!(OutcomeKind::Retryable < OutcomeKind::NonRetryable);
        assert!(OutcomeKind::NonRetryable < OutcomeKind::Abort);
    }
}
