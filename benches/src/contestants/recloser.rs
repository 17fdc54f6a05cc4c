//! recloser: a circuit breaker over a ring of the last calls, lock-free, for futures.
//!
//! Does: opens when half of the last 100 calls failed (its defaults).
//! Doesn't: anything but breaking; half-open lets every call through.

use crate::case::Case;
use crate::harness::{Runner, block_on, repeat};
use crate::operation::{Failing, Operation, Ready};
use crate::settings::OPEN_FOR;
use recloser::{AsyncRecloser, Recloser};

/// A runner of the case, if it can do it.
pub fn prepare(case: Case) -> Option<Runner> {
    let breaker = AsyncRecloser::from(Recloser::custom().open_wait(OPEN_FOR).build());
    match case {
        Case::BreakerClosed => {}
        Case::BreakerOpen => {
            for _ in 0..101 {
                assert!(block_on(breaker.call(Failing.call())).is_err());
            }
        }
        _ => return None,
    }
    Some(repeat(case, async move || breaker.call(Ready.call()).await))
}
