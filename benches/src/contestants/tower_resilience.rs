//! tower-resilience: retry with budget, hedge, breaker and time limiter, stacked as tower services.

use crate::case::{Case, Setup};
use crate::contestant::Contestant;
use crate::harness::{Runner, Shared, block_on, repeat};
use crate::operation::{Failed, Failing, Operation};
use crate::settings::{ATTEMPTS, HEDGE_AFTER, OPEN_FOR, THRESHOLD, TIMEOUT};
use std::sync::Arc;
use std::time::Duration;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_resilience::circuitbreaker::{CircuitBreakerLayer, DefaultClassifier};
use tower_resilience::hedge::HedgeLayer;
use tower_resilience::retry::{RetryBudget, RetryBudgetBuilder, RetryConfigBuilder, RetryLayer};
use tower_resilience::timelimiter::{FixedTimeout, TimeLimiterLayer};

/// tower-resilience, its layers stacked as in its documentation.
#[derive(Debug)]
pub struct TowerResilience;

impl Contestant for TowerResilience {
    const NAME: &'static str = "tower-resilience";
    const DOES: &'static str = "all five, as tower services that box their futures and keep an event system; its breaker counts failures in \
         a row; the only peer that has them all";
    const DOES_NOT: &'static str = "keys, one record of a call; it always sleeps between attempts, on tokio's timer, hence no row where \
         three attempts fail; its breaker over a time window keeps every call of the window and walks over all of them at \
         each call, so that no single number says what that costs, hence no such row";

    fn prepare(case: Case, operation: impl Operation) -> Option<Runner> {
        match case.setup {
            _ if case.failing_attempts() > 1 => None,
            Setup::Retry => Some(serve(case, retry().build().layer(service(operation)))),
            Setup::Timeout => Some(serve(case, retry().build().layer(timeout().layer(service(operation))))),
            Setup::Breaker => Some(serve(case, in_a_row().layer(service(operation)))),
            Setup::BreakerOpen => Some(breaker_open(case)),
            Setup::Budget => Some(serve(case, retry().budget(plenty()).build().layer(service(operation)))),
            Setup::BudgetDenied => {
                Some(serve(case, retry().budget(nothing()).build().layer(service(operation))))
            }
            Setup::Hedge => Some(serve(case, hedge().layer(service(operation)))),
            Setup::All => {
                let inner = in_a_row().layer(timeout().layer(hedge().layer(service(operation))));
                Some(serve(case, retry().budget(plenty()).build().layer(inner)))
            }
            Setup::TokenBucket => Some(one_decision(plenty())),
            _ => None,
        }
    }

    /// A clone of the service for each thread; the clones share breaker and budget.
    fn share(case: Case, operation: impl Operation) -> Option<Shared> {
        match case.setup {
            _ if !case.succeeds() => None,
            Setup::Retry => Some(each(case, retry().build().layer(service(operation)))),
            Setup::Breaker => Some(each(case, in_a_row().layer(service(operation)))),
            Setup::Budget => Some(each(case, retry().budget(plenty()).build().layer(service(operation)))),
            _ => None,
        }
    }
}

fn retry<E>() -> RetryConfigBuilder<(), u64, E> {
    RetryLayer::builder().max_attempts(ATTEMPTS as usize).exponential_backoff(Duration::from_millis(10))
}

fn plenty() -> Arc<dyn RetryBudget> {
    let bucket = RetryBudgetBuilder::new().token_bucket().tokens_per_second(1e9);
    bucket.max_tokens(1 << 40).initial_tokens(1 << 40).build().expect("a large bucket is a bucket")
}

fn nothing() -> Arc<dyn RetryBudget> {
    let bucket = RetryBudgetBuilder::new().token_bucket().tokens_per_second(0.0);
    bucket.max_tokens(1).initial_tokens(0).build().expect("an empty bucket is a bucket")
}

fn one_decision(budget: Arc<dyn RetryBudget>) -> Runner {
    Runner::of(move |times| {
        for _ in 0..times {
            assert!(budget.try_withdraw(), "the budget never runs dry");
        }
    })
}

fn timeout() -> TimeLimiterLayer<FixedTimeout> {
    TimeLimiterLayer::builder().timeout_duration(TIMEOUT).cancel_running_future(true).build()
}

fn in_a_row() -> CircuitBreakerLayer<DefaultClassifier> {
    let builder = CircuitBreakerLayer::builder()
        .consecutive_failures(THRESHOLD as usize)
        .wait_duration_in_open(OPEN_FOR);
    builder.build().expect("five failures in a row are a failure model")
}

fn breaker_open(case: Case) -> Runner {
    let mut service = in_a_row().layer(service(Failing));
    for _ in 0..THRESHOLD {
        assert!(block_on(async { service.ready().await?.call(()).await }).is_err());
    }
    serve(case, service)
}

fn hedge() -> HedgeLayer {
    HedgeLayer::builder().delay(HEDGE_AFTER).build()
}

fn service(
    operation: impl Operation,
) -> impl Service<(), Response = u64, Error = Failed, Future: Send> + Clone + Send + Sync {
    service_fn(move |()| operation.call())
}

fn serve<S>(case: Case, mut service: S) -> Runner
where
    S: Service<(), Response = u64> + Send + 'static,
{
    repeat(case, async move || service.ready().await?.call(()).await)
}

fn each<S>(case: Case, service: S) -> Shared
where
    S: Service<(), Response = u64> + Clone + Send + 'static,
{
    Box::new(move || serve(case, service.clone()))
}
