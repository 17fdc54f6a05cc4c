//! [`Policy`] and its setters.

use crate::label::Label;
use crate::policy::{CircuitPolicy, HedgePolicy, Jitter, RetryPolicy};
use std::time::Duration;

/// What a key selects: retry, hedge and circuit settings.
///
/// A policy is data. The setters take any value and keep it; [`normalize`](Policy::normalize) brings it inside the
/// limits and says what it changed.
///
/// ```
/// use recourse_core::Policy;
/// use std::time::Duration;
///
/// let policy = Policy::http()
///     .max_attempts(4)
///     .retry_budget("retries")
///     .hedge_after(Duration::from_millis(80))
///     .circuit(5, Duration::from_secs(10));
/// assert!(policy.hedge.enabled && policy.circuit.enabled);
/// ```
#[derive(Clone, Debug, PartialEq, Default)]
#[cfg_attr(
    feature = "serde",
    derive(::serde::Serialize, ::serde::Deserialize),
    serde(remote = "Self", deny_unknown_fields, default)
)]
#[non_exhaustive]
pub struct Policy {
    /// A short name for telemetry; empty for none.
    #[cfg_attr(feature = "serde", serde(with = "crate::policy::serde::id"))]
    pub id: Label,
    /// Attempts, waits and timeouts.
    pub retry: RetryPolicy,
    /// Racing a slow attempt.
    pub hedge: HedgePolicy,
    /// Stopping when the other side is down.
    pub circuit: CircuitPolicy,
}

impl Policy {
    /// The default policy: three attempts, 10 ms to 250 ms of backoff with full jitter, nothing else.
    #[must_use]
    pub fn new() -> Self {
        Policy::default()
    }

    /// Names the policy in telemetry.
    #[must_use]
    pub fn id(mut self, id: impl Into<Label>) -> Self {
        self.id = id.into();
        self
    }

    /// Attempt groups, the first included: 1 to 10.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.retry.max_attempts = attempts;
        self
    }

    /// The first and the longest wait: 1 ms to 30 s each.
    #[must_use]
    pub fn backoff(mut self, initial: Duration, max: Duration) -> Self {
        self.retry.initial_backoff = initial;
        self.retry.max_backoff = max;
        self
    }

    /// Each wait is this many times the one before: 1 to 10.
    #[must_use]
    pub fn backoff_multiplier(mut self, multiplier: f64) -> Self {
        self.retry.backoff_multiplier = multiplier;
        self
    }

    /// How waits are spread.
    #[must_use]
    pub fn jitter(mut self, jitter: Jitter) -> Self {
        self.retry.jitter = jitter;
        self
    }

    /// The longest wait that a server may ask for: 1 ms to 5 min.
    #[must_use]
    pub fn max_server_delay(mut self, delay: Duration) -> Self {
        self.retry.max_server_delay = delay;
        self
    }

    /// The time that one attempt may take; at least 1 ms, zero means no limit.
    #[must_use]
    pub fn timeout_per_attempt(mut self, timeout: Duration) -> Self {
        self.retry.timeout_per_attempt = Some(timeout);
        self
    }

    /// The time that the whole call may take, waits included; at least 1 ms, zero means no limit.
    #[must_use]
    pub fn overall_timeout(mut self, timeout: Duration) -> Self {
        self.retry.overall_timeout = Some(timeout);
        self
    }

    /// Whether a call inside an attempt of another call leaves retrying to that call, as long as it may retry. A call
    /// knows where it runs if it is polled by the attempt, or was told with `Call::within`.
    #[must_use]
    pub fn leave_retries_to_outer(mut self, leave: bool) -> Self {
        self.retry.leave_to_outer = leave;
        self
    }

    /// The registered classifier that judges the attempts.
    #[must_use]
    pub fn classifier(mut self, name: impl Into<Label>) -> Self {
        self.retry.classifier_name = name.into();
        self
    }

    /// The registered budget that pays for retries.
    #[must_use]
    pub fn retry_budget(mut self, name: impl Into<Label>) -> Self {
        self.retry.budget.name = name.into();
        self
    }

    /// What one primary attempt costs its budget; at least 1.
    #[must_use]
    pub fn retry_cost(mut self, cost: u32) -> Self {
        self.retry.budget.cost = cost;
        self
    }

    /// Hedges after a fixed delay of at least 10 ms; turns hedging on.
    #[must_use]
    pub fn hedge_after(mut self, delay: Duration) -> Self {
        self.hedge.enabled = true;
        self.hedge.hedge_delay = delay;
        self
    }

    /// Hedges when the registered trigger says so (`p95`, say); turns hedging on.
    #[must_use]
    pub fn hedge_trigger(mut self, name: impl Into<Label>) -> Self {
        self.hedge.enabled = true;
        self.hedge.trigger_name = name.into();
        self
    }

    /// Hedges beside one primary, at most: 1 to 3. Doesn't turn hedging on.
    #[must_use]
    pub fn max_hedges(mut self, hedges: u32) -> Self {
        self.hedge.max_hedges = hedges;
        self
    }

    /// The registered budget that pays for hedges.
    #[must_use]
    pub fn hedge_budget(mut self, name: impl Into<Label>) -> Self {
        self.hedge.budget.name = name.into();
        self
    }

    /// What one hedge costs its budget; at least 1.
    #[must_use]
    pub fn hedge_cost(mut self, cost: u32) -> Self {
        self.hedge.budget.cost = cost;
        self
    }

    /// Whether the first non-retryable or abort outcome ends a hedged group at once.
    #[must_use]
    pub fn cancel_on_first_terminal(mut self, cancel: bool) -> Self {
        self.hedge.cancel_on_first_terminal = cancel;
        self
    }

    /// Opens the circuit after `threshold` failed attempts in a row, for `cooldown` (at least 100 ms); turns the
    /// breaker on.
    #[must_use]
    pub fn circuit(mut self, threshold: u32, cooldown: Duration) -> Self {
        self.circuit.enabled = true;
        self.circuit.threshold = threshold;
        self.circuit.cooldown = cooldown;
        self
    }

    /// The registered breaker to use instead of consecutive failures; turns the breaker on.
    #[must_use]
    pub fn circuit_breaker(mut self, name: impl Into<Label>) -> Self {
        self.circuit.enabled = true;
        self.circuit.breaker_name = name.into();
        self
    }

    /// The policy's own most attempts: `max_attempts x (1 + max_hedges)`.
    #[must_use]
    pub fn worst_case_attempts(&self) -> u32 {
        let hedges = if self.hedge.enabled { self.hedge.max_hedges } else { 0 };
        self.retry.max_attempts.saturating_mul(hedges.saturating_add(1))
    }
}
