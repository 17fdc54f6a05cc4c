//! backon: retries of one call site.

use crate::case::{Case, Setup};
use crate::contestant::Contestant;
use crate::harness::{Runner, Shared, repeat};
use crate::operation::Operation;
use crate::settings::ATTEMPTS;
use backon::{ExponentialBuilder, Retryable};
use std::future::ready;

const BACKOFF: ExponentialBuilder = ExponentialBuilder::new().with_max_times(ATTEMPTS as usize - 1);

/// backon, with a `const` builder of its backoff.
#[derive(Debug)]
pub struct Backon;

impl Contestant for Backon {
    const NAME: &'static str = "backon";
    const DOES: &'static str = "retries at one call site, every error, with an exponential backoff that is made anew for each call from a \
         `const` builder; its sleeper is a closure whose sleeps are ready at once, as in its documentation";
    const DOES_NOT: &'static str = "classify unless told how at the call site; timeouts, breakers, budgets, hedges, a policy that call \
         sites share, records";

    fn prepare(case: Case, operation: impl Operation) -> Option<Runner> {
        (case.setup == Setup::Retry).then(|| retry(case, operation))
    }

    /// Its calls share nothing.
    fn share(case: Case, operation: impl Operation) -> Option<Shared> {
        (case.setup == Setup::Retry).then(|| Box::new(move || retry(case, operation)) as Shared)
    }
}

fn retry(case: Case, operation: impl Operation) -> Runner {
    repeat(case, async move || (|| operation.call()).retry(BACKOFF).sleep(|_| ready(())).await)
}
