//! tower: retry with a hand-written policy, its TPS budget, timeout and hedge, stacked as services.

use crate::case::{Case, Setup};
use crate::contestant::Contestant;
use crate::harness::{Runner, Shared, block_on, repeat};
use crate::operation::Operation;
use crate::settings::{ATTEMPTS, TIMEOUT};
use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;
use tower::hedge::Hedge;
use tower::retry::Retry;
use tower::retry::budget::{Budget, TpsBudget};
use tower::timeout::Timeout;
use tower::{BoxError, Service, ServiceExt, service_fn};

/// tower, its services stacked as in its documentation.
#[derive(Debug)]
pub struct Tower;

impl Contestant for Tower {
    const NAME: &'static str = "tower";
    const DOES: &'static str = "retries by a policy written by hand that counts attempts, retries every error and waits for nothing; its \
         TPS budget, its timeout, and its hedge at the 95th percentile of a histogram behind a mutex, which is filled \
         beforehand; request, policy and service are cloned for each call";
    const DOES_NOT: &'static str = "classify, back off, break circuits (all five is without), keys, records; a hedge can't stand inside a \
         retry, since it can't be cloned, and the row of a fixed delay has its percentile too";

    fn prepare(case: Case, operation: impl Operation) -> Option<Runner> {
        match case.setup {
            Setup::Retry => Some(serve(case, retry(operation))),
            Setup::Timeout => Some(serve(case, retry_with_timeout(operation))),
            Setup::Budget => Some(serve(case, retry_with_budget(operation, plenty()))),
            Setup::BudgetDenied => Some(serve(case, retry_with_budget(operation, nothing()))),
            Setup::Hedge | Setup::HedgeQuantile => {
                Some(serve(case, hedged(service_fn(move |()| operation.call()))))
            }
            Setup::All => {
                let inner = Timeout::new(service_fn(move |()| operation.call()), TIMEOUT);
                Some(serve(case, hedged(Retry::new(budgeted(plenty()), inner))))
            }
            Setup::TokenBucket => Some(one_decision(plenty())),
            _ => None,
        }
    }

    /// A clone of the service for each thread, as its documentation does; the budget is shared.
    fn share(case: Case, operation: impl Operation) -> Option<Shared> {
        match case.setup {
            Setup::Retry => {
                let service = retry(operation);
                Some(Box::new(move || serve(case, service.clone())))
            }
            Setup::Budget => {
                let service = retry_with_budget(operation, plenty());
                Some(Box::new(move || serve(case, service.clone())))
            }
            _ => None,
        }
    }
}

/// A service that each thread may have a clone of.
trait Stacked: Service<(), Response = u64, Error: Into<BoxError>> + Clone + Send + 'static {}

impl<S: Service<(), Response = u64, Error: Into<BoxError>> + Clone + Send + 'static> Stacked for S {}

fn retry(operation: impl Operation) -> impl Stacked {
    Retry::new(Attempts { left: ATTEMPTS - 1 }, service_fn(move |()| operation.call()))
}

fn retry_with_timeout(operation: impl Operation) -> impl Stacked {
    let inner = Timeout::new(service_fn(move |()| operation.call()), TIMEOUT);
    Retry::new(Attempts { left: ATTEMPTS - 1 }, inner)
}

fn retry_with_budget(operation: impl Operation, budget: TpsBudget) -> impl Stacked {
    Retry::new(budgeted(budget), service_fn(move |()| operation.call()))
}

/// The service is built once, inside the runtime, and called as the documentation does.
fn serve<S>(case: Case, mut service: S) -> Runner
where
    S: Service<(), Response = u64> + Send + 'static,
{
    repeat(case, async move || service.ready().await?.call(()).await)
}

fn hedged<S>(service: S) -> Hedge<S, Always>
where
    S: Service<(), Error: Into<BoxError>> + Clone,
{
    block_on(async {
        Hedge::new_with_mock_latencies(service, Always, 1, 0.95, Duration::from_secs(3_600), &[100; 100])
    })
}

/// Hedges every request.
#[derive(Clone)]
struct Always;

impl tower::hedge::Policy<()> for Always {
    fn clone_request(&self, (): &()) -> Option<()> {
        Some(())
    }

    fn can_retry(&self, (): &()) -> bool {
        true
    }
}

/// Retries every error, so many times.
#[derive(Clone)]
struct Attempts {
    left: u32,
}

impl<T, E> tower::retry::Policy<(), T, E> for Attempts {
    type Future = Ready<()>;

    fn retry(&mut self, (): &mut (), result: &mut Result<T, E>) -> Option<Ready<()>> {
        if result.is_ok() || self.left == 0 {
            return None;
        }
        self.left -= 1;
        Some(ready(()))
    }

    fn clone_request(&mut self, (): &()) -> Option<()> {
        Some(())
    }
}

/// As [`Attempts`], as long as the budget pays; as in the documentation of `tower::retry::budget`.
#[derive(Clone)]
struct Budgeted {
    budget: Arc<TpsBudget>,
    left: u32,
}

/// A budget that never runs dry.
fn plenty() -> TpsBudget {
    TpsBudget::new(Duration::from_secs(10), 100_000_000, 0.2)
}

/// A budget that never has anything.
fn nothing() -> TpsBudget {
    TpsBudget::new(Duration::from_secs(10), 0, 0.0)
}

fn budgeted(budget: TpsBudget) -> Budgeted {
    Budgeted { budget: Arc::new(budget), left: ATTEMPTS - 1 }
}

fn one_decision(budget: TpsBudget) -> Runner {
    Runner::of(move |times| {
        for _ in 0..times {
            assert!(budget.withdraw(), "the budget never runs dry");
        }
    })
}

impl<T, E> tower::retry::Policy<(), T, E> for Budgeted {
    type Future = Ready<()>;

    fn retry(&mut self, (): &mut (), result: &mut Result<T, E>) -> Option<Ready<()>> {
        if result.is_ok() {
            self.budget.deposit();
            return None;
        }
        if self.left == 0 || !self.budget.withdraw() {
            return None;
        }
        self.left -= 1;
        Some(ready(()))
    }

    fn clone_request(&mut self, (): &()) -> Option<()> {
        Some(())
    }
}
