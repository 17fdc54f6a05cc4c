//! An executor for each case: policy, plugins, sleeper.

use crate::case::{Case, Kind, Setup};
use crate::harness::Slept;
use crate::settings::{
    ATTEMPTS, HEDGE_AFTER, OPEN_FOR, THRESHOLD, TIMEOUT, WINDOW, WINDOW_CALLS, WINDOW_SUCCESSES,
};
use recourse::budget::TokenBucket;
use recourse::circuit::{Breakers, FailureRatio};
use recourse::hedge::Quantile;
use recourse::{Executor, ExecutorBuilder, Key, Observer, Policy, Sleeper, TokioClock, TokioSleeper};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

pub(in crate::contestants) const KEY: Key = Key::from_static("bench.Call");
const BUDGET: &str = "retries";
const WINDOWED: &str = "windowed";
/// The built-in `p95` with a floor, so that an armed hedge of an operation without latency is never due.
const LATE_P95: &str = "late_p95";

/// The executor of a case that is a call; its policy is for every key.
pub(super) fn executor(case: Case) -> Option<Executor> {
    let builder = Executor::builder().default_policy(policy(case)?);
    Some(with_plugins(builder, case).build().expect("the policies of the benches are valid"))
}

fn policy(case: Case) -> Option<Policy> {
    let policy = Policy::new().max_attempts(ATTEMPTS);
    Some(match case.setup {
        Setup::Retry | Setup::Observed | Setup::Captured | Setup::Keys(_) => policy,
        Setup::Timeout => policy.timeout_per_attempt(TIMEOUT),
        Setup::Breaker => policy.circuit(THRESHOLD, OPEN_FOR),
        Setup::BreakerOpen => policy.circuit(1, OPEN_FOR),
        Setup::BreakerWindow => policy.circuit(THRESHOLD, OPEN_FOR).circuit_breaker(WINDOWED),
        Setup::Budget | Setup::BudgetDenied => policy.retry_budget(BUDGET),
        Setup::Hedge => policy.hedge_after(HEDGE_AFTER),
        Setup::HedgeQuantile => policy.hedge_trigger(quantile(case)),
        Setup::All => policy
            .timeout_per_attempt(TIMEOUT)
            .circuit(THRESHOLD, OPEN_FOR)
            .retry_budget(BUDGET)
            .hedge_after(HEDGE_AFTER)
            .hedge_budget(BUDGET),
        Setup::TokenBucket
        | Setup::LatencyRecorded
        | Setup::LatencyRead
        | Setup::LatencyReadAgain
        | Setup::Floor(_) => return None,
    })
}

fn quantile(case: Case) -> &'static str {
    if case.operation == Kind::PendingOnce { LATE_P95 } else { Quantile::P95.name() }
}

fn with_plugins(builder: ExecutorBuilder, case: Case) -> ExecutorBuilder {
    let builder = match case.operation {
        Kind::Failing | Kind::FailingLate => builder.sleeper(NoWait),
        Kind::Ready | Kind::PendingOnce => builder.sleeper(TokioSleeper),
    };
    // Tokio's own clock, so that its timers needn't read it once more.
    let builder =
        if case.operation == Kind::PendingOnce { builder.clock(TokioClock::new()) } else { builder };
    match case.setup {
        Setup::BreakerWindow => builder.circuit_breaker(WINDOWED, windowed()),
        Setup::Observed => builder.observer(Silent),
        Setup::Budget | Setup::All | Setup::BudgetDenied => builder.budget(BUDGET, bucket_of(case)),
        Setup::HedgeQuantile if quantile(case) == LATE_P95 => {
            builder.hedge_trigger(LATE_P95, Quantile::P95.with_floor(HEDGE_AFTER))
        }
        _ => builder,
    }
}

/// As the peers' windows: so many attempts at least, and a part of them failed.
pub(in crate::contestants) fn windowed() -> Breakers {
    let breaker =
        FailureRatio::over_time(WINDOW).minimum_attempts(WINDOW_CALLS).ratio(1.0 - WINDOW_SUCCESSES);
    breaker.build().expect("the windows of the benches are valid")
}

/// The bucket of a case that has one.
pub(in crate::contestants) fn bucket_of(case: Case) -> TokenBucket {
    match case.setup {
        // Its one token is used up before the calls are measured.
        Setup::BudgetDenied => bucket(1, 0.0),
        _ => bucket(u32::MAX, 1e9),
    }
}

pub(super) fn bucket(capacity: u32, refill_per_second: f64) -> TokenBucket {
    TokenBucket::new(capacity, refill_per_second).expect("the buckets of the benches are valid")
}

/// Hears everything and does nothing.
struct Silent;

impl Observer for Silent {}

/// Its sleeps are ready at once.
pub(in crate::contestants) struct NoWait;

impl Sleeper for NoWait {
    fn sleep<'s, 'f>(&'s self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        Box::pin(Slept)
    }
}
