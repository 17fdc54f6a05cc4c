//! execution-policy: retry, timeouts, breaker and budget in one policy value.
//!
//! Does: one shared policy, every error retried, an error with attempts and elapsed time (a clock read and a box).
//! The breaker counts failures in a row and votes once a call; the budget never runs dry.
//! Doesn't: hedges, keys, records. Where three attempts fail, its runtime is one whose sleeps are ready at once; else
//! it is tokio's.

use crate::case::Case;
use crate::harness::{Runner, Slept, block_on, repeat};
use crate::operation::{Failed, Failing, Operation, PendingOnce, Ready};
use crate::settings::{ATTEMPTS, OPEN_FOR, THRESHOLD, TIMEOUT};
use execution_policy::core::{BoxFuture, Core, DefaultCore};
use execution_policy::{CircuitBreaker, ExecutionPolicyBuilder, Retry, RetryBudget};
use std::time::{Duration, Instant};

/// A runner of the case, if it can do it.
pub fn prepare(case: Case) -> Option<Runner> {
    match case {
        Case::Plain => Some(run(case, plain(), Ready)),
        Case::PlainPending => Some(run(case, plain(), PendingOnce)),
        Case::ThreeFail => Some(run(case, plain(), Failing)),
        Case::Timeout => Some(run(case, plain().attempt_timeout(TIMEOUT), Ready)),
        Case::TimeoutArmed => Some(run(case, plain().attempt_timeout(TIMEOUT), PendingOnce)),
        Case::BreakerClosed => Some(run(case, plain().circuit_breaker(breaker(THRESHOLD)), Ready)),
        Case::BreakerOpen => Some(breaker_open(case)),
        Case::Budget => Some(run(case, with_budget(), Ready)),
        Case::ThreeFailBudget => Some(run(case, with_budget(), Failing)),
        Case::All => Some(run(case, all_but_hedge(), Ready)),
        Case::AllArmed => Some(run(case, all_but_hedge(), PendingOnce)),
        _ => None,
    }
}

type Builder = ExecutionPolicyBuilder<u64, Failed>;

fn plain() -> Builder {
    Builder::new().retry(Retry::exponential().max_attempts(ATTEMPTS))
}

fn with_budget() -> Builder {
    let budget = RetryBudget::new(1.0, u32::MAX);
    Builder::new().retry(Retry::exponential().max_attempts(ATTEMPTS).budget(budget))
}

fn all_but_hedge() -> Builder {
    with_budget().attempt_timeout(TIMEOUT).circuit_breaker(breaker(THRESHOLD))
}

fn breaker(failures: u32) -> CircuitBreaker<Failed> {
    CircuitBreaker::consecutive_failures(failures).open_for(OPEN_FOR)
}

fn run(case: Case, builder: Builder, operation: impl Operation) -> Runner {
    if case.failing_attempts() > 0 {
        let policy = builder.build_with(NoWait(DefaultCore::new()));
        return repeat(case, async move || policy.run(async || operation.call().await).await);
    }
    let policy = builder.build();
    repeat(case, async move || policy.run(async || operation.call().await).await)
}

fn breaker_open(case: Case) -> Runner {
    let policy = plain().circuit_breaker(breaker(1)).build_with(NoWait(DefaultCore::new()));
    assert!(block_on(policy.run(async || Failing.call().await)).is_err());
    repeat(case, async move || policy.run(async || Ready.call().await).await)
}

/// Tokio's clock, with sleeps that are ready at once.
struct NoWait(DefaultCore);

impl Core for NoWait {
    fn now(&self) -> Instant {
        self.0.now()
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'_, ()> {
        Box::pin(Slept)
    }

    fn next_u64(&self) -> u64 {
        self.0.next_u64()
    }
}
