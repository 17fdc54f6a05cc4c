//! failsafe: a circuit breaker, behind a mutex, for futures.

use crate::case::{Case, Setup};
use crate::contestant::Contestant;
use crate::harness::{Runner, Shared, block_on, repeat};
use crate::operation::{Failing, Operation};
use crate::settings::{OPEN_FOR, THRESHOLD, WINDOW, WINDOW_CALLS, WINDOW_SUCCESSES};
use failsafe::backoff::{Constant, constant};
use failsafe::failure_policy::{
    ConsecutiveFailures, SuccessRateOverTimeWindow, consecutive_failures, success_rate_over_time_window,
};
use failsafe::futures::CircuitBreaker;
use failsafe::{Config, StateMachine};

/// failsafe, with the failure policy that the row asks for.
#[derive(Debug)]
pub struct Failsafe;

impl Contestant for Failsafe {
    const NAME: &'static str = "failsafe";
    const DOES: &'static str = "a breaker that opens after so many failures in a row, or, in the rows of a time window, when the moving \
         average of the success rate over the window falls too low";
    const DOES_NOT: &'static str = "retries or anything else; half-open lets every call through";

    fn prepare(case: Case, operation: impl Operation) -> Option<Runner> {
        match case.setup {
            Setup::Breaker => Some(call(case, in_a_row(), operation)),
            Setup::BreakerWindow => Some(call(case, over_a_window(), operation)),
            Setup::BreakerOpen => {
                let breaker = in_a_row();
                for _ in 0..THRESHOLD {
                    assert!(block_on(breaker.call(Failing.call())).is_err());
                }
                Some(call(case, breaker, operation))
            }
            _ => None,
        }
    }

    fn share(case: Case, operation: impl Operation) -> Option<Shared> {
        match case.setup {
            Setup::Breaker => Some(each(case, in_a_row(), operation)),
            Setup::BreakerWindow => Some(each(case, over_a_window(), operation)),
            _ => None,
        }
    }
}

fn in_a_row() -> StateMachine<ConsecutiveFailures<Constant>, ()> {
    Config::new().failure_policy(consecutive_failures(THRESHOLD, constant(OPEN_FOR))).build()
}

fn over_a_window() -> StateMachine<SuccessRateOverTimeWindow<Constant>, ()> {
    let policy = success_rate_over_time_window(WINDOW_SUCCESSES, WINDOW_CALLS, WINDOW, constant(OPEN_FOR));
    Config::new().failure_policy(policy).build()
}

fn call(case: Case, breaker: impl CircuitBreaker + Send + 'static, operation: impl Operation) -> Runner {
    repeat(case, async move || breaker.call(operation.call()).await)
}

/// Its clones share their state.
fn each(
    case: Case,
    breaker: impl CircuitBreaker + Clone + Send + 'static,
    operation: impl Operation,
) -> Shared {
    Box::new(move || call(case, breaker.clone(), operation))
}
