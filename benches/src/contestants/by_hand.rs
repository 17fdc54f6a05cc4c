//! The best stack made by hand of crates for one purpose each: backon round recloser round tokio's timeout.
//!
//! Does: three of the five: retries, breaker, attempt timeout; every error and every timeout counts against the
//! breaker and is retried, a rejection is not. All of it is known to the compiler at the call site.
//! Doesn't: budgets, hedges, classify, keys, a policy that can change, records.

use crate::case::Case;
use crate::harness::{Runner, repeat};
use crate::operation::{Failed, Operation, PendingOnce, Ready};
use crate::settings::{ATTEMPTS, OPEN_FOR, TIMEOUT};
use backon::{ExponentialBuilder, Retryable};
use recloser::{AsyncRecloser, Error, Recloser};
use tokio::time::timeout;

const BACKOFF: ExponentialBuilder = ExponentialBuilder::new().with_max_times(ATTEMPTS as usize - 1);

/// A runner of the case, if it can do it.
pub fn prepare(case: Case) -> Option<Runner> {
    match case {
        Case::All => Some(stack(case, Ready)),
        Case::AllArmed => Some(stack(case, PendingOnce)),
        _ => None,
    }
}

fn stack(case: Case, operation: impl Operation) -> Runner {
    let breaker = AsyncRecloser::from(Recloser::custom().open_wait(OPEN_FOR).build());
    repeat(case, async move || {
        (|| breaker.call(async { timeout(TIMEOUT, operation.call()).await.unwrap_or(Err(Failed)) }))
            .retry(BACKOFF)
            .when(|error| !matches!(error, Error::Rejected))
            .await
    })
}
