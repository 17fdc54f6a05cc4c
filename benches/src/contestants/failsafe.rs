//! failsafe: a circuit breaker, behind a mutex, for futures.
//!
//! Does: opens after so many failures in a row (the cheaper of its two policies; the one over a time window also reads
//! the clock at every call).
//! Doesn't: anything but breaking; half-open lets every call through.

use crate::case::Case;
use crate::harness::{Runner, block_on, repeat};
use crate::operation::{Failing, Operation, Ready};
use crate::settings::{OPEN_FOR, THRESHOLD};
use failsafe::backoff::{Constant, constant};
use failsafe::failure_policy::{ConsecutiveFailures, consecutive_failures};
use failsafe::futures::CircuitBreaker;
use failsafe::{Config, StateMachine};

/// A runner of the case, if it can do it.
pub fn prepare(case: Case) -> Option<Runner> {
    let breaker = breaker();
    match case {
        Case::BreakerClosed => {}
        Case::BreakerOpen => {
            for _ in 0..THRESHOLD {
                assert!(block_on(breaker.call(Failing.call())).is_err());
            }
        }
        _ => return None,
    }
    Some(repeat(case, async move || breaker.call(Ready.call()).await))
}

fn breaker() -> StateMachine<ConsecutiveFailures<Constant>, ()> {
    Config::new().failure_policy(consecutive_failures(THRESHOLD, constant(OPEN_FOR))).build()
}
