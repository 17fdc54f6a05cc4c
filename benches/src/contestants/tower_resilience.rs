//! tower-resilience: retry with budget, hedge, breaker and time limiter, stacked as tower services.
//!
//! Does: all five, each layer boxing its future and keeping an event system. The only peer that has them all.
//! Doesn't: keys, one record of a call. It always sleeps between attempts, on tokio's timer, so it has no row for
//! attempts that fail. Its breaker counts failures in a row here, as ours does.

use crate::case::Case;
use crate::harness::{Runner, repeat};
use crate::operation::{Failed, Operation, PendingOnce, Ready};
use crate::settings::{ATTEMPTS, HEDGE_AFTER, OPEN_FOR, THRESHOLD, TIMEOUT};
use std::sync::Arc;
use std::time::Duration;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_resilience::circuitbreaker::{CircuitBreakerLayer, DefaultClassifier};
use tower_resilience::hedge::HedgeLayer;
use tower_resilience::retry::{RetryBudget, RetryBudgetBuilder, RetryConfigBuilder, RetryLayer};
use tower_resilience::timelimiter::{FixedTimeout, TimeLimiterLayer};

/// A runner of the case, if it can do it.
pub fn prepare(case: Case) -> Option<Runner> {
    match case {
        Case::Plain => Some(serve(case, retry().build().layer(service(Ready)))),
        Case::PlainPending => Some(serve(case, retry().build().layer(service(PendingOnce)))),
        Case::Timeout => Some(retry_with_timeout(case, Ready)),
        Case::TimeoutArmed => Some(retry_with_timeout(case, PendingOnce)),
        Case::BreakerClosed => Some(serve(case, breaker().layer(service(Ready)))),
        Case::Budget => Some(serve(case, retry().budget(budget()).build().layer(service(Ready)))),
        Case::Hedge => Some(serve(case, hedge().layer(service(Ready)))),
        Case::HedgeArmed => Some(serve(case, hedge().layer(service(PendingOnce)))),
        Case::All => Some(all(case, Ready)),
        Case::AllArmed => Some(all(case, PendingOnce)),
        _ => None,
    }
}

fn retry_with_timeout(case: Case, operation: impl Operation) -> Runner {
    serve(case, retry().build().layer(timeout().layer(service(operation))))
}

fn all(case: Case, operation: impl Operation) -> Runner {
    let inner = breaker().layer(timeout().layer(hedge().layer(service(operation))));
    serve(case, retry().budget(budget()).build().layer(inner))
}

fn retry<E>() -> RetryConfigBuilder<(), u64, E> {
    RetryLayer::builder().max_attempts(ATTEMPTS as usize).exponential_backoff(Duration::from_millis(10))
}

fn budget() -> Arc<dyn RetryBudget> {
    RetryBudgetBuilder::new().token_bucket().build().expect("its defaults are valid")
}

fn timeout() -> TimeLimiterLayer<FixedTimeout> {
    TimeLimiterLayer::builder().timeout_duration(TIMEOUT).cancel_running_future(true).build()
}

fn breaker() -> CircuitBreakerLayer<DefaultClassifier> {
    let builder = CircuitBreakerLayer::builder()
        .consecutive_failures(THRESHOLD as usize)
        .wait_duration_in_open(OPEN_FOR);
    builder.build().expect("five failures in a row are a failure model")
}

fn hedge() -> HedgeLayer {
    HedgeLayer::builder().delay(HEDGE_AFTER).build()
}

fn service(
    operation: impl Operation,
) -> impl Service<(), Response = u64, Error = Failed, Future: Send> + Clone + Send {
    service_fn(move |()| operation.call())
}

fn serve<S>(case: Case, mut service: S) -> Runner
where
    S: Service<(), Response = u64> + 'static,
{
    repeat(case, async move || service.ready().await?.call(()).await)
}
