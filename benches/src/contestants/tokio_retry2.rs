//! tokio-retry2: retries of one call site; with tokio's `timeout` round each attempt where one is asked for.

use crate::case::{Case, Setup};
use crate::contestant::Contestant;
use crate::harness::{Runner, Shared, repeat};
use crate::operation::{Failed, Operation};
use crate::settings::{ATTEMPTS, TIMEOUT};
use std::time::Duration;
use tokio::time::timeout;
use tokio_retry2::strategy::ExponentialFactorBackoff;
use tokio_retry2::{Retry, RetryError};

/// tokio-retry2, with an iterator of delays.
#[derive(Debug)]
pub struct TokioRetry2;

impl Contestant for TokioRetry2 {
    const NAME: &'static str = "tokio-retry2";
    const DOES: &'static str = "retries at one call site by an iterator of delays that is made anew for each call; the operation says by \
         its error type what is transient, and here everything is; with tokio's `timeout` in the timeout rows";
    const DOES_NOT: &'static str = "breakers, budgets, hedges, a policy that call sites share, records; it always sleeps between attempts, \
         on tokio's timer, hence no row where attempts fail";

    fn prepare(case: Case, operation: impl Operation) -> Option<Runner> {
        match case.setup {
            _ if !case.succeeds() => None,
            Setup::Retry => Some(retry(case, operation)),
            Setup::Timeout => Some(retry_with_timeout(case, operation)),
            _ => None,
        }
    }

    /// Its calls share nothing.
    fn share(case: Case, operation: impl Operation) -> Option<Shared> {
        (case.setup == Setup::Retry).then(|| Box::new(move || retry(case, operation)) as Shared)
    }
}

fn delays() -> impl Iterator<Item = Duration> {
    ExponentialFactorBackoff::from_millis(10, 2.0).take(ATTEMPTS as usize - 1)
}

fn retry(case: Case, operation: impl Operation) -> Runner {
    repeat(case, async move || {
        Retry::spawn(delays(), async || operation.call().await.map_err(RetryError::transient)).await
    })
}

fn retry_with_timeout(case: Case, operation: impl Operation) -> Runner {
    repeat(case, async move || {
        let attempt = async || match timeout(TIMEOUT, operation.call()).await {
            Ok(result) => result.map_err(RetryError::transient),
            Err(_) => Err(RetryError::transient(Failed)),
        };
        Retry::spawn(delays(), attempt).await
    })
}
