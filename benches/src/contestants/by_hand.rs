//! The best stack made by hand of crates for one purpose each: backon round recloser round tokio's timeout.

use crate::case::{Case, Setup};
use crate::contestant::Contestant;
use crate::harness::{Runner, repeat};
use crate::operation::{Failed, Operation};
use crate::settings::{ATTEMPTS, OPEN_FOR, TIMEOUT};
use backon::{ExponentialBuilder, Retryable};
use recloser::{AsyncRecloser, Error, Recloser};
use tokio::time::timeout;

const BACKOFF: ExponentialBuilder = ExponentialBuilder::new().with_max_times(ATTEMPTS as usize - 1);

/// backon round recloser round tokio's timeout.
#[derive(Debug)]
pub struct ByHand;

impl Contestant for ByHand {
    const NAME: &'static str = "by-hand";
    const DOES: &'static str = "three of the five, by backon round recloser round tokio's `timeout`: every error and every timeout counts \
         against the breaker and is retried, a rejection is not; the compiler knows all of it at the call site";
    const DOES_NOT: &'static str = "budgets, hedges, classifiers, keys, a policy that can change, records";

    fn prepare(case: Case, operation: impl Operation) -> Option<Runner> {
        if case.setup != Setup::All {
            return None;
        }
        let breaker = AsyncRecloser::from(Recloser::custom().open_wait(OPEN_FOR).build());
        Some(repeat(case, async move || {
            (|| breaker.call(async { timeout(TIMEOUT, operation.call()).await.unwrap_or(Err(Failed)) }))
                .retry(BACKOFF)
                .when(|error| !matches!(error, Error::Rejected))
                .await
        }))
    }
}
