//! Every default, floor and ceiling of a policy, with its reason. [`TABLE`] is the same as data.

use std::time::Duration;

/// Attempts of a call, the first included: enough for a blip, too few for a storm.
pub const DEFAULT_MAX_ATTEMPTS: u32 = 3;
/// More than ten attempts is a queue, not a retry.
pub const MAX_MAX_ATTEMPTS: u32 = 10;
/// The first backoff: about one round trip in a data centre.
pub const DEFAULT_INITIAL_BACKOFF: Duration = Duration::from_millis(10);
/// Timers are no finer than a millisecond.
pub const MIN_BACKOFF: Duration = Duration::from_millis(1);
/// A caller who waits longer than this has gone.
pub const MAX_BACKOFF: Duration = Duration::from_secs(30);
/// The default cap keeps three attempts within what a person notices.
pub const DEFAULT_MAX_BACKOFF: Duration = Duration::from_millis(250);
/// Doubling is what the literature measures.
pub const DEFAULT_BACKOFF_MULTIPLIER: f64 = 2.0;
/// A backoff never shrinks.
pub const MIN_BACKOFF_MULTIPLIER: f64 = 1.0;
/// Beyond ten the second wait is the cap already.
pub const MAX_BACKOFF_MULTIPLIER: f64 = 10.0;
/// The longest wait that a server may ask for by default.
pub const DEFAULT_MAX_SERVER_DELAY: Duration = Duration::from_secs(30);
/// Timers are no finer than a millisecond.
pub const MIN_MAX_SERVER_DELAY: Duration = Duration::from_millis(1);
/// A server that wants five minutes wants the caller to give up.
pub const MAX_MAX_SERVER_DELAY: Duration = Duration::from_secs(300);
/// Timers are no finer than a millisecond.
pub const MIN_TIMEOUT: Duration = Duration::from_millis(1);
/// What an attempt costs its budget.
pub const DEFAULT_COST: u32 = 1;
/// A free attempt would be outside its budget.
pub const MIN_COST: u32 = 1;
/// Hedges of an attempt group: each further one gains less than the one before.
pub const DEFAULT_MAX_HEDGES: u32 = 2;
/// A group without a hedge is not hedged.
pub const MIN_MAX_HEDGES: u32 = 1;
/// More than three hedges is load, not latency.
pub const MAX_MAX_HEDGES: u32 = 3;
/// Behind the p95 of most services.
pub const DEFAULT_HEDGE_DELAY: Duration = Duration::from_millis(200);
/// Hedging faster than this doubles the load.
pub const MIN_HEDGE_DELAY: Duration = Duration::from_millis(10);
/// Failed attempts in a row that open the circuit; attempts, not calls.
pub const DEFAULT_THRESHOLD: u32 = 5;
/// A circuit that opens without a failure is never closed.
pub const MIN_THRESHOLD: u32 = 1;
/// How long the circuit stays open before a probe.
pub const DEFAULT_COOLDOWN: Duration = Duration::from_secs(10);
/// A shorter cooldown is a retry.
pub const MIN_COOLDOWN: Duration = Duration::from_millis(100);

/// One row a field: path, default, what is allowed.
///
/// ```
/// let row = recourse_core::policy::limits::TABLE[0];
/// assert_eq!(row, ("retry.max_attempts", "3", "1 to 10; 0 means the default"));
/// ```
pub const TABLE: &[(&str, &str, &str)] = &[
    ("retry.max_attempts", "3", "1 to 10; 0 means the default"),
    ("retry.initial_backoff", "10ms", "1ms to 30s; 0 means the default"),
    ("retry.max_backoff", "250ms", "initial_backoff to 30s; 0 means the default"),
    ("retry.backoff_multiplier", "2", "1 to 10; 0 means the default"),
    ("retry.jitter", "full", "none, full, equal or decorrelated"),
    ("retry.max_server_delay", "30s", "1ms to 5min; 0 means the default"),
    ("retry.timeout_per_attempt", "off", "off or at least 1ms; 0 means off"),
    ("retry.overall_timeout", "off", "off or at least 1ms; 0 means off"),
    ("retry.classifier_name", "the executor's default classifier", "a registered classifier's name"),
    ("retry.leave_to_outer", "false", "true or false"),
    ("retry.budget.name", "no budget", "a registered budget's name"),
    ("retry.budget.cost", "1", "at least 1"),
    ("hedge.enabled", "false", "true or false"),
    ("hedge.max_hedges", "2", "1 to 3; 0 means the default"),
    ("hedge.hedge_delay", "200ms", "at least 10ms; 0 means the default"),
    ("hedge.trigger_name", "fixed_delay", "a registered trigger's name"),
    ("hedge.cancel_on_first_terminal", "false", "true or false"),
    ("hedge.budget.name", "no budget", "a registered budget's name"),
    ("hedge.budget.cost", "1", "at least 1"),
    ("circuit.enabled", "false", "true or false"),
    ("circuit.breaker_name", "consecutive_failures", "a registered breaker's name"),
    (
        "circuit.threshold",
        "5",
        "at least 1, and at most the attempts that the breaker's window holds; 0 means the default",
    ),
    ("circuit.cooldown", "10s", "at least 100ms; 0 means the default"),
    ("id", "empty", "any short text"),
];

/// What is allowed for a field, as the table says it.
#[must_use]
pub fn allowed(field: &str) -> &'static str {
    TABLE.iter().find(|(name, _, _)| *name == field).map_or("", |(_, _, allowed)| allowed)
}
