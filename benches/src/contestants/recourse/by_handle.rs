//! recourse by prepared handle: every case.

use crate::case::{Case, Setup};
use crate::contestant::Contestant;
use crate::contestants::recourse::executor::{KEY, executor};
use crate::contestants::recourse::{keys, parts};
use crate::harness::{Runner, Shared, block_on, repeat};
use crate::operation::Operation;
use recourse::Handle;
use std::hint::black_box;

/// recourse by prepared handle.
#[derive(Debug)]
pub struct Recourse;

impl Contestant for Recourse {
    const NAME: &'static str = "recourse";
    const DOES: &'static str = "a policy whose names are resolved once, called by prepared handle; the default classifier, for which the \
         error is no HTTP failure; panic fences round foreign plugins, jittered backoff, the real error kept, tokio's \
         timers; where attempts fail, a sleeper whose sleeps are ready at once; a token bucket that never runs dry";
    const DOES_NOT: &'static str = "-";

    fn prepare(case: Case, operation: impl Operation) -> Option<Runner> {
        match case.setup {
            Setup::Keys(many) => keys::by_handle(case, many, operation),
            Setup::TokenBucket => Some(parts::token_bucket()),
            Setup::LatencyRecorded => Some(parts::latency_recorded()),
            Setup::LatencyRead => Some(parts::latency_read()),
            Setup::LatencyReadAgain => Some(parts::latency_read_again()),
            _ => Some(call(case, handle(case, operation)?, operation)),
        }
    }

    /// A clone of the handle for each thread.
    fn share(case: Case, operation: impl Operation) -> Option<Shared> {
        let handle = handle(case, operation)?;
        Some(Box::new(move || call(case, handle.clone(), operation)))
    }
}

fn handle(case: Case, operation: impl Operation) -> Option<Handle> {
    let handle = executor(case)?.handle(&KEY).expect("a static key is a key");
    if matches!(case.setup, Setup::BreakerOpen | Setup::BudgetDenied) {
        assert!(block_on(handle.run(|_| operation.call())).is_err());
    }
    Some(handle)
}

fn call(case: Case, handle: Handle, operation: impl Operation) -> Runner {
    if case.setup == Setup::Captured {
        return repeat(case, async move || {
            let (result, timeline) = handle.call().run_captured(|_| operation.call()).await;
            black_box(&timeline);
            result
        });
    }
    repeat(case, async move || handle.run(|_| operation.call()).await)
}
