//! The operation alone, awaited with nothing round it: the floor of every row.

use crate::case::{Case, Setup};
use crate::contestant::Contestant;
use crate::contestants::floors;
use crate::harness::{Runner, Shared, repeat};
use crate::operation::Operation;

/// The operation alone.
#[derive(Debug)]
pub struct Bare;

impl Contestant for Bare {
    const NAME: &'static str = "bare";
    const DOES: &'static str =
        "awaits the operation: three times where three attempts fail; and the machine's own steps";
    const DOES_NOT: &'static str = "do anything else";

    fn prepare(case: Case, operation: impl Operation) -> Option<Runner> {
        match case.setup {
            Setup::Floor(floor) => Some(floors::prepare(floor)),
            Setup::BreakerOpen
            | Setup::TokenBucket
            | Setup::LatencyRecorded
            | Setup::LatencyRead
            | Setup::LatencyReadAgain => None,
            _ if case.failing_attempts() == 3 => Some(repeat(case, async move || {
                let _ = operation.call().await;
                let _ = operation.call().await;
                operation.call().await
            })),
            _ => Some(once(case, operation)),
        }
    }

    /// There is nothing to share: what threads lose here, they lose to the machine.
    fn share(case: Case, operation: impl Operation) -> Option<Shared> {
        (case.setup == Setup::Retry).then(|| Box::new(move || once(case, operation)) as Shared)
    }
}

fn once(case: Case, operation: impl Operation) -> Runner {
    repeat(case, async move || operation.call().await)
}
