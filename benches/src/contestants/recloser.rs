//! recloser: a circuit breaker over a ring of the last calls, lock-free, for futures.

use crate::case::{Case, Setup};
use crate::contestant::Contestant;
use crate::harness::{Runner, Shared, block_on, repeat};
use crate::operation::{Failing, Operation};
use crate::settings::OPEN_FOR;
use recloser::{AsyncRecloser, Recloser as Breaker};

/// recloser at its defaults.
#[derive(Debug)]
pub struct Recloser;

impl Contestant for Recloser {
    const NAME: &'static str = "recloser";
    const DOES: &'static str = "a breaker that opens when half of the last 100 calls failed, its default";
    const DOES_NOT: &'static str = "retries or anything else; half-open lets every call through";

    fn prepare(case: Case, operation: impl Operation) -> Option<Runner> {
        Self::share(case, operation).map(|mut shared| shared())
    }

    /// Leaked, so that threads share it as calls of one thread do, and the same code runs in both.
    fn share(case: Case, operation: impl Operation) -> Option<Shared> {
        let breaker = &*Box::leak(Box::new(breaker()));
        match case.setup {
            Setup::Breaker => {}
            Setup::BreakerOpen => {
                for _ in 0..101 {
                    assert!(block_on(breaker.call(Failing.call())).is_err());
                }
            }
            _ => return None,
        }
        Some(Box::new(move || repeat(case, async move || breaker.call(operation.call()).await)))
    }
}

fn breaker() -> AsyncRecloser {
    AsyncRecloser::from(Breaker::custom().open_wait(OPEN_FOR).build())
}
