//! The rows of the table: what each storm's callers do.

use recourse::budget::{
    AdaptiveThrottle, AllOf, InFlight, Observing, Quota, RetryRatio, Throttle, TokenBucket,
};
use recourse::{Budget, ExecutorBuilder, Policy};
use std::sync::Arc;
use std::time::Duration;

/// The row whose bound is asserted.
pub(crate) const RATIO: &str = "`RetryRatio::new(0.1)`";

#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) policy: fn() -> Policy,
    pub(crate) equip: fn(ExecutorBuilder) -> ExecutorBuilder,
    /// What the manual says of it.
    pub(crate) recovers: bool,
}

fn once() -> Policy {
    Policy::new().max_attempts(1).timeout_per_attempt(Duration::from_secs(1))
}

fn thrice() -> Policy {
    once().max_attempts(3).backoff(Duration::from_millis(100), Duration::from_secs(1))
}

fn budgeted() -> Policy {
    thrice().retry_budget("budget")
}

fn broken_off() -> Policy {
    thrice().circuit(5, Duration::from_secs(10))
}

fn with(builder: ExecutorBuilder, budget: impl Budget + 'static) -> ExecutorBuilder {
    builder.budget("budget", budget)
}

pub(crate) fn rows() -> Vec<Row> {
    let row = |name, recovers, policy, equip| Row { name, policy, equip, recovers };
    vec![
        row("no retry", true, once, |builder| builder),
        row("three attempts, no budget", false, thrice, |builder| builder),
        row("`TokenBucket::new(100, 28.0)`", false, budgeted, |builder| {
            with(builder, TokenBucket::new(100, 28.0).unwrap())
        }),
        row(RATIO, false, budgeted, |builder| with(builder, RetryRatio::new(0.1).unwrap())),
        row("`RetryRatio::new(0.02)`", true, budgeted, |builder| {
            with(builder, RetryRatio::new(0.02).unwrap())
        }),
        row("`RetryRatio::new(0.2)` with a reserve of 10 a second", false, budgeted, |builder| {
            with(builder, RetryRatio::new(0.2).unwrap().with_reserve(10.0).unwrap())
        }),
        row("`InFlight::default()`", false, budgeted, |builder| with(builder, InFlight::default())),
        row("`Throttle::new(100, 0.1)`", true, budgeted, |builder| {
            with(builder, Throttle::new(100, 0.1).unwrap())
        }),
        row("`Quota::default()`", true, budgeted, |builder| with(builder, Quota::default())),
        row("`AdaptiveThrottle::new()`", true, budgeted, |builder| {
            with(builder, AdaptiveThrottle::new().with_seed(1))
        }),
        row("`RetryRatio`, `Throttle` and `InFlight`, joined", true, budgeted, |builder| {
            let ratio: Arc<dyn Budget> = Arc::new(RetryRatio::new(0.1).unwrap());
            let throttle = Arc::new(Throttle::new(100, 0.1).unwrap());
            with(builder, AllOf::new([ratio, throttle, Arc::new(InFlight::default())]).unwrap())
        }),
        row("no budget, a circuit breaker", true, broken_off, |builder| builder),
        row(
            "`Throttle` and a circuit breaker",
            true,
            || broken_off().retry_budget("budget"),
            |builder| with(builder, Throttle::new(100, 0.1).unwrap()),
        ),
        row("`Throttle`, only observed", false, budgeted, |builder| {
            with(builder, Observing::new(Throttle::new(100, 0.1).unwrap()))
        }),
    ]
}
