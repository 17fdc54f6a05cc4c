//! backon: retries of one call site.
//!
//! Does: exponential backoff, made anew for each call from a `const` builder; every error is retried (no classifier).
//! The sleeper is a closure whose sleeps are ready at once, as in its documentation.
//! Doesn't: timeouts, breakers, budgets, hedges, a policy shared by call sites, records.

use crate::case::Case;
use crate::harness::{Runner, repeat};
use crate::operation::{Failing, Operation, PendingOnce, Ready};
use crate::settings::ATTEMPTS;
use backon::{ExponentialBuilder, Retryable};
use std::future::ready;

const BACKOFF: ExponentialBuilder = ExponentialBuilder::new().with_max_times(ATTEMPTS as usize - 1);

/// A runner of the case, if it can do it.
pub fn prepare(case: Case) -> Option<Runner> {
    match case {
        Case::Plain => Some(retry(case, Ready)),
        Case::PlainPending => Some(retry(case, PendingOnce)),
        Case::ThreeFail => Some(retry(case, Failing)),
        _ => None,
    }
}

fn retry(case: Case, operation: impl Operation) -> Runner {
    repeat(case, async move || (|| operation.call()).retry(BACKOFF).sleep(|_| ready(())).await)
}
