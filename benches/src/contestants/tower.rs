//! tower: retry with a hand-written policy, its TPS budget, timeout and hedge, stacked as services.
//!
//! Does: what the policy below does, which is as little as can be: it counts attempts, retries every error and waits
//! for nothing. Request, policy and service are cloned for each call.
//! Doesn't: classify, back off, break circuits, look anything up, record. The hedge's delay is a percentile of what it
//! has seen, from a histogram behind a mutex; it is filled beforehand, and after the first calls the delay is 1 ms. A
//! hedge can't stand inside a retry, since it can't be cloned.

use crate::case::Case;
use crate::harness::{Runner, block_on, repeat};
use crate::operation::{Failing, Operation, PendingOnce, Ready as ReadyNow};
use crate::settings::{ATTEMPTS, TIMEOUT};
use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;
use tower::hedge::Hedge;
use tower::retry::Retry;
use tower::retry::budget::{Budget, TpsBudget};
use tower::timeout::Timeout;
use tower::{Service, ServiceExt, service_fn};

/// A runner of the case, if it can do it.
pub fn prepare(case: Case) -> Option<Runner> {
    match case {
        Case::Plain => Some(retry(case, ReadyNow)),
        Case::PlainPending => Some(retry(case, PendingOnce)),
        Case::ThreeFail => Some(retry(case, Failing)),
        Case::Timeout => Some(retry_with_timeout(case, ReadyNow)),
        Case::TimeoutArmed => Some(retry_with_timeout(case, PendingOnce)),
        Case::Budget => Some(retry_with_budget(case, ReadyNow)),
        Case::ThreeFailBudget => Some(retry_with_budget(case, Failing)),
        Case::Hedge => Some(hedge(case, ReadyNow)),
        Case::HedgeArmed => Some(hedge(case, PendingOnce)),
        Case::All => Some(all_but_breaker(case, ReadyNow)),
        Case::AllArmed => Some(all_but_breaker(case, PendingOnce)),
        _ => None,
    }
}

fn retry(case: Case, operation: impl Operation) -> Runner {
    serve(case, Retry::new(Attempts { left: ATTEMPTS - 1 }, service_fn(move |()| operation.call())))
}

fn retry_with_timeout(case: Case, operation: impl Operation) -> Runner {
    let inner = Timeout::new(service_fn(move |()| operation.call()), TIMEOUT);
    serve(case, Retry::new(Attempts { left: ATTEMPTS - 1 }, inner))
}

fn retry_with_budget(case: Case, operation: impl Operation) -> Runner {
    serve(case, Retry::new(budgeted(), service_fn(move |()| operation.call())))
}

fn hedge(case: Case, operation: impl Operation) -> Runner {
    serve(case, hedged(service_fn(move |()| operation.call())))
}

fn all_but_breaker(case: Case, operation: impl Operation) -> Runner {
    let inner = Timeout::new(service_fn(move |()| operation.call()), TIMEOUT);
    serve(case, hedged(Retry::new(budgeted(), inner)))
}

/// The service is built once, inside the runtime, and called as the documentation does.
fn serve<S>(case: Case, mut service: S) -> Runner
where
    S: Service<(), Response = u64> + 'static,
{
    repeat(case, async move || service.ready().await?.call(()).await)
}

fn hedged<S>(service: S) -> Hedge<S, Always>
where
    S: Service<()> + Clone,
    S::Error: Into<tower::BoxError>,
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

/// With a budget that never runs dry.
fn budgeted() -> Budgeted {
    Budgeted {
        budget: Arc::new(TpsBudget::new(Duration::from_secs(10), 30_000_000, 0.2)),
        left: ATTEMPTS - 1,
    }
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
