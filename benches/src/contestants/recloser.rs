//! recloser: a circuit breaker over a ring of the last calls, lock-free, for futures.

use crate::case::{Case, Setup};
use crate::contestant::Contestant;
use crate::harness::{Runner, Shared, block_on, repeat};
use crate::operation::{Failing, Operation};
use crate::settings::OPEN_FOR;
use recloser::{AsyncRecloser, Recloser as Breaker};
use std::sync::Arc;

/// recloser at its defaults.
#[derive(Debug)]
pub struct Recloser;

impl Contestant for Recloser {
    const NAME: &'static str = "recloser";
    const DOES: &'static str = "a breaker that opens when half of the last 100 calls failed, its default";
    const DOES_NOT: &'static str = "retries or anything else; half-open lets every call through";

    fn prepare(case: Case, operation: impl Operation) -> Option<Runner> {
        let breaker = breaker();
        match case.setup {
            Setup::Breaker => {}
            Setup::BreakerOpen => {
                for _ in 0..101 {
                    assert!(block_on(breaker.call(Failing.call())).is_err());
                }
            }
            _ => return None,
        }
        Some(repeat(case, async move || breaker.call(operation.call()).await))
    }

    fn share(case: Case, operation: impl Operation) -> Option<Shared> {
        if case.setup != Setup::Breaker {
            return None;
        }
        let breaker = Arc::new(breaker());
        Some(Box::new(move || {
            let breaker = Arc::clone(&breaker);
            repeat(case, async move || breaker.call(operation.call()).await)
        }))
    }
}

fn breaker() -> AsyncRecloser {
    AsyncRecloser::from(Breaker::custom().open_wait(OPEN_FOR).build())
}
