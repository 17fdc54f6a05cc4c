//! tokio-retry2: retries of one call site; with tokio's `timeout` round each attempt where one is asked for.
//!
//! Does: an iterator of delays, made anew for each call. The operation says by its error type what is transient; here
//! every error is.
//! Doesn't: breakers, budgets, hedges, a policy shared by call sites, records. It always sleeps between attempts, on
//! tokio's timer, so it has no row for attempts that fail.

use crate::case::Case;
use crate::harness::{Runner, repeat};
use crate::operation::{Failed, Operation, PendingOnce, Ready};
use crate::settings::{ATTEMPTS, TIMEOUT};
use tokio::time::timeout;
use tokio_retry2::strategy::ExponentialFactorBackoff;
use tokio_retry2::{Retry, RetryError};

/// A runner of the case, if it can do it.
pub fn prepare(case: Case) -> Option<Runner> {
    match case {
        Case::Plain => Some(retry(case, Ready)),
        Case::PlainPending => Some(retry(case, PendingOnce)),
        Case::Timeout => Some(retry_with_timeout(case, Ready)),
        Case::TimeoutArmed => Some(retry_with_timeout(case, PendingOnce)),
        _ => None,
    }
}

fn delays() -> impl Iterator<Item = std::time::Duration> {
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
