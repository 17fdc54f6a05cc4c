//! [`StopReason`] and [`Component`]: why a call ended.

use crate::reason;
use std::fmt;

/// Why a call ended other than by a value that is a success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopReason {
    /// The last allowed attempt failed.
    AttemptsExhausted,
    /// The attempt failed, and its policy leaves retrying to the call in whose attempt this call runs.
    LeftToOuter,
    /// An attempt failed in a way that must not be retried.
    NonRetryable,
    /// The classifier ended the call.
    Abort,
    /// The classifier calls the operation's error a success, and so is the call.
    Accepted,
    /// The budget denied the next attempt.
    BudgetDenied,
    /// The policy names a budget that is not registered.
    BudgetNotFound,
    /// The circuit breaker is open.
    CircuitOpen,
    /// The circuit breaker is half-open and its probe is taken.
    CircuitHalfOpenProbeLimit,
    /// The policy names a circuit breaker that is not registered.
    BreakerNotFound,
    /// The overall deadline cut an attempt in flight.
    OverallTimeout,
    /// The next wait would outlast the overall deadline, so it was not started.
    DeadlineWouldPass,
    /// The server asked for a longer wait than the policy allows.
    ServerDelayTooLong,
    /// No policy was found for the key.
    NoPolicy,
    /// The policy names a classifier that is not registered.
    ClassifierNotFound,
    /// The key's text is not a key.
    InvalidKey,
    /// A plugin or the operation panicked.
    PanicIn(Component),
    /// The caller dropped the call.
    ContextCanceled,
}

impl StopReason {
    /// Every reason, with a panic of each component.
    pub const ALL: [StopReason; 26] = [
        StopReason::AttemptsExhausted,
        StopReason::LeftToOuter,
        StopReason::NonRetryable,
        StopReason::Abort,
        StopReason::Accepted,
        StopReason::BudgetDenied,
        StopReason::BudgetNotFound,
        StopReason::CircuitOpen,
        StopReason::CircuitHalfOpenProbeLimit,
        StopReason::BreakerNotFound,
        StopReason::OverallTimeout,
        StopReason::DeadlineWouldPass,
        StopReason::ServerDelayTooLong,
        StopReason::NoPolicy,
        StopReason::ClassifierNotFound,
        StopReason::InvalidKey,
        StopReason::ContextCanceled,
        StopReason::PanicIn(Component::Provider),
        StopReason::PanicIn(Component::Classifier),
        StopReason::PanicIn(Component::Budget),
        StopReason::PanicIn(Component::Trigger),
        StopReason::PanicIn(Component::Breaker),
        StopReason::PanicIn(Component::Observer),
        StopReason::PanicIn(Component::Sleeper),
        StopReason::PanicIn(Component::Clock),
        StopReason::PanicIn(Component::Operation),
    ];

    /// The reason code.
    ///
    /// ```
    /// use recourse_core::{Component, StopReason};
    ///
    /// assert_eq!(StopReason::DeadlineWouldPass.as_str(), "deadline_would_pass");
    /// assert_eq!(StopReason::PanicIn(Component::Sleeper).as_str(), "panic_in_sleeper");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            StopReason::AttemptsExhausted => reason::ATTEMPTS_EXHAUSTED,
            StopReason::LeftToOuter => reason::LEFT_TO_OUTER,
            StopReason::NonRetryable => reason::NON_RETRYABLE,
            StopReason::Abort => reason::ABORT,
            StopReason::Accepted => reason::ACCEPTED,
            StopReason::BudgetDenied => reason::BUDGET_DENIED,
            StopReason::BudgetNotFound => reason::BUDGET_NOT_FOUND,
            StopReason::CircuitOpen => reason::CIRCUIT_OPEN,
            StopReason::CircuitHalfOpenProbeLimit => reason::CIRCUIT_HALF_OPEN_PROBE_LIMIT,
            StopReason::BreakerNotFound => reason::BREAKER_NOT_FOUND,
            StopReason::OverallTimeout => reason::OVERALL_TIMEOUT,
            StopReason::DeadlineWouldPass => reason::DEADLINE_WOULD_PASS,
            StopReason::ServerDelayTooLong => reason::SERVER_DELAY_TOO_LONG,
            StopReason::NoPolicy => reason::NO_POLICY,
            StopReason::ClassifierNotFound => reason::CLASSIFIER_NOT_FOUND,
            StopReason::InvalidKey => reason::INVALID_KEY,
            StopReason::PanicIn(component) => component.panic_reason(),
            StopReason::ContextCanceled => reason::CONTEXT_CANCELED,
        }
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A part of a call that may panic: a plugin, or the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Component {
    /// The policy provider.
    Provider,
    /// A classifier.
    Classifier,
    /// A budget, or a release that it handed out.
    Budget,
    /// A hedge trigger.
    Trigger,
    /// A circuit breaker or its factory.
    Breaker,
    /// An observer.
    Observer,
    /// The sleeper, or a sleep that it handed out.
    Sleeper,
    /// The clock.
    Clock,
    /// The operation itself.
    Operation,
}

impl Component {
    /// Every component.
    pub const ALL: [Component; 9] = [
        Component::Provider,
        Component::Classifier,
        Component::Budget,
        Component::Trigger,
        Component::Breaker,
        Component::Observer,
        Component::Sleeper,
        Component::Clock,
        Component::Operation,
    ];

    /// The name in texts: `classifier`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Component::Provider => "provider",
            Component::Classifier => "classifier",
            Component::Budget => "budget",
            Component::Trigger => "trigger",
            Component::Breaker => "breaker",
            Component::Observer => "observer",
            Component::Sleeper => "sleeper",
            Component::Clock => "clock",
            Component::Operation => "operation",
        }
    }

    /// The reason code of a panic there: `panic_in_classifier`.
    #[must_use]
    pub const fn panic_reason(self) -> &'static str {
        match self {
            Component::Provider => reason::PANIC_IN_PROVIDER,
            Component::Classifier => reason::PANIC_IN_CLASSIFIER,
            Component::Budget => reason::PANIC_IN_BUDGET,
            Component::Trigger => reason::PANIC_IN_TRIGGER,
            Component::Breaker => reason::PANIC_IN_BREAKER,
            Component::Observer => reason::PANIC_IN_OBSERVER,
            Component::Sleeper => reason::PANIC_IN_SLEEPER,
            Component::Clock => reason::PANIC_IN_CLOCK,
            Component::Operation => reason::PANIC_IN_OPERATION,
        }
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_reason_is_made_of_the_components_name() {
        for component in Component::ALL {
            assert_eq!(component.panic_reason(), format!("panic_in_{component}"));
        }
    }
}
