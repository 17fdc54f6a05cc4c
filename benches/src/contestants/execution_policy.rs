//! execution-policy: retry, timeouts, breaker and budget in one policy value.

use crate::case::{Case, Kind, Setup};
use crate::contestant::Contestant;
use crate::harness::{Runner, Shared, Slept, block_on, repeat};
use crate::operation::{Failed, Failing, Operation};
use crate::settings::{ATTEMPTS, OPEN_FOR, THRESHOLD, TIMEOUT, WINDOW, WINDOW_CALLS, WINDOW_SUCCESSES};
use execution_policy::core::{BoxFuture, Core, DefaultCore};
use execution_policy::{
    CircuitBreaker, ExecutionPolicy as Policy, ExecutionPolicyBuilder, Retry, RetryBudget,
};
use std::time::{Duration, Instant};

/// execution-policy, one policy for all calls.
#[derive(Debug)]
pub struct ExecutionPolicy;

impl Contestant for ExecutionPolicy {
    const NAME: &'static str = "execution-policy";
    const DOES: &'static str = "retries every error by one shared policy, with attempt timeout, a breaker that votes once a call (failures \
         in a row, or a ratio over a time window) and a budget; its error has attempts and elapsed time";
    const DOES_NOT: &'static str = "hedges (all five is without), keys, records; where attempts fail its runtime is one whose sleeps are \
         ready at once";

    fn prepare(case: Case, operation: impl Operation) -> Option<Runner> {
        Self::share(case, operation).map(|mut shared| shared())
    }

    fn share(case: Case, operation: impl Operation) -> Option<Shared> {
        let builder = builder(case)?;
        Some(match case.operation {
            Kind::Failing | Kind::FailingLate => {
                run(case, builder.build_with(NoWait(DefaultCore::new())), operation)
            }
            Kind::Ready | Kind::PendingOnce => run(case, builder.build(), operation),
        })
    }
}

type Builder = ExecutionPolicyBuilder<u64, Failed>;

fn builder(case: Case) -> Option<Builder> {
    let retry = Retry::exponential().max_attempts(ATTEMPTS);
    let plenty = || RetryBudget::new(1.0, u32::MAX);
    Some(match case.setup {
        Setup::Retry => Builder::new().retry(retry),
        Setup::Timeout => Builder::new().retry(retry).attempt_timeout(TIMEOUT),
        Setup::Breaker => Builder::new().retry(retry).circuit_breaker(in_a_row(THRESHOLD)),
        Setup::BreakerWindow => Builder::new().retry(retry).circuit_breaker(over_a_window()),
        Setup::BreakerOpen => Builder::new().retry(retry).circuit_breaker(in_a_row(1)),
        Setup::Budget => Builder::new().retry(retry.budget(plenty())),
        // The one retry that it pays for is used up before the calls are measured.
        Setup::BudgetDenied => Builder::new().retry(retry.budget(RetryBudget::new(0.0, 1))),
        Setup::All => Builder::new()
            .retry(retry.budget(plenty()))
            .attempt_timeout(TIMEOUT)
            .circuit_breaker(in_a_row(THRESHOLD)),
        _ => return None,
    })
}

fn in_a_row(failures: u32) -> CircuitBreaker<Failed> {
    CircuitBreaker::consecutive_failures(failures).open_for(OPEN_FOR)
}

fn over_a_window() -> CircuitBreaker<Failed> {
    CircuitBreaker::failure_ratio()
        .ratio(1.0 - WINDOW_SUCCESSES)
        .minimum_throughput(WINDOW_CALLS)
        .sampling_window(WINDOW)
        .open_for(OPEN_FOR)
}

/// Leaked, so that threads share it as calls of one thread do, and the same code runs in both.
fn run<C>(case: Case, policy: Policy<C, u64, Failed>, operation: impl Operation) -> Shared
where
    C: Core + Send + Sync + 'static,
{
    let policy = &*Box::leak(Box::new(policy));
    if matches!(case.setup, Setup::BreakerOpen | Setup::BudgetDenied) {
        assert!(block_on(policy.run(async || Failing.call().await)).is_err());
    }
    Box::new(move || repeat(case, async move || policy.run(async || operation.call().await).await))
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
