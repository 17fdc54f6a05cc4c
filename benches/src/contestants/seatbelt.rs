//! seatbelt: retry, timeout, breaker and hedging as layers round one service.

use crate::case::{Case, Setup};
use crate::contestant::Contestant;
use crate::harness::{Runner, Shared, block_on, repeat};
use crate::operation::{Answer, Failed, Operation};
use crate::settings::{ATTEMPTS, HEDGE_AFTER, OPEN_FOR, TIMEOUT, WINDOW, WINDOW_CALLS, WINDOW_SUCCESSES};
use layered::{Execute, Service, Stack};
use seatbelt::breaker::Breaker;
use seatbelt::hedging::Hedging;
use seatbelt::retry::Retry;
use seatbelt::timeout::Timeout;
use seatbelt::{RecoveryInfo, ResilienceContext};
use std::time::Duration;
use tick::Clock;

/// seatbelt, its layers stacked as in its documentation.
#[derive(Debug)]
pub struct Seatbelt;

impl Contestant for Seatbelt {
    const NAME: &'static str = "seatbelt";
    const DOES: &'static str = "a policy and a classifier that all calls share, jittered backoff from tokio's clock, a breaker over a time \
         window, hedging after a fixed delay; its telemetry is compiled out";
    const DOES_NOT: &'static str = "budgets (all five is without), keys, records; where attempts fail its base delay is zero, which its \
         clock doesn't sleep";

    fn prepare(case: Case, operation: impl Operation) -> Option<Runner> {
        Self::share(case, operation).map(|mut shared| shared())
    }

    fn share(case: Case, operation: impl Operation) -> Option<Shared> {
        match case.setup {
            Setup::Retry => Some(serve(case, retry(operation))),
            Setup::Timeout => Some(serve(case, retry_with_timeout(operation))),
            Setup::BreakerWindow => Some(serve(case, breaker(operation))),
            Setup::BreakerOpen => {
                let service = breaker(operation);
                // It can't be opened by hand.
                for _ in 0..100 {
                    assert!(block_on(service.execute(())).is_err());
                }
                Some(serve(case, service))
            }
            Setup::Hedge => Some(serve(case, hedge(operation))),
            Setup::All => Some(serve(case, all_but_budget(operation))),
            _ => None,
        }
    }
}

/// One stack for all calls.
trait Stacked: Service<(), Out = Answer> + Send + Sync + 'static {}

impl<S: Service<(), Out = Answer> + Send + Sync + 'static> Stacked for S {}

fn context() -> ResilienceContext<(), Answer> {
    ResilienceContext::new(block_on(async { Clock::new_tokio() }))
}

fn judge(answer: &Answer) -> RecoveryInfo {
    match answer {
        Ok(_) => RecoveryInfo::never(),
        Err(Failed) => RecoveryInfo::retry(),
    }
}

fn retry(operation: impl Operation) -> impl Stacked {
    let layers = (
        Retry::layer("retry", &context())
            .clone_input()
            .recovery_with(|answer, _| judge(answer))
            .max_retry_attempts(ATTEMPTS - 1)
            .base_delay(Duration::ZERO),
        Execute::new(move |()| operation.call()),
    );
    layers.into_service()
}

fn retry_with_timeout(operation: impl Operation) -> impl Stacked {
    let context = context();
    let layers = (
        Retry::layer("retry", &context)
            .clone_input()
            .recovery_with(|answer, _| judge(answer))
            .max_retry_attempts(ATTEMPTS - 1),
        Timeout::layer("timeout", &context).timeout_error(|_| Failed).timeout(TIMEOUT),
        Execute::new(move |()| operation.call()),
    );
    layers.into_service()
}

fn breaker(operation: impl Operation) -> impl Stacked {
    let layers = (
        Breaker::layer("breaker", &context())
            .recovery_with(|answer, _| judge(answer))
            .rejected_input_error(|(), _| Failed)
            .failure_threshold(1.0 - WINDOW_SUCCESSES as f32)
            .min_throughput(WINDOW_CALLS)
            .sampling_duration(WINDOW)
            .break_duration(OPEN_FOR),
        Execute::new(move |()| operation.call()),
    );
    layers.into_service()
}

fn hedge(operation: impl Operation) -> impl Stacked {
    let layers = (
        Hedging::layer("hedging", &context())
            .clone_input()
            .recovery_with(|answer, _| judge(answer))
            .hedging_delay(HEDGE_AFTER),
        Execute::new(move |()| operation.call()),
    );
    layers.into_service()
}

fn all_but_budget(operation: impl Operation) -> impl Stacked {
    let context = context();
    let layers = (
        Retry::layer("retry", &context)
            .clone_input()
            .recovery_with(|answer, _| judge(answer))
            .max_retry_attempts(ATTEMPTS - 1),
        Hedging::layer("hedging", &context)
            .clone_input()
            .recovery_with(|answer, _| judge(answer))
            .hedging_delay(HEDGE_AFTER),
        Breaker::layer("breaker", &context)
            .recovery_with(|answer, _| judge(answer))
            .rejected_input_error(|(), _| Failed)
            .break_duration(OPEN_FOR),
        Timeout::layer("timeout", &context).timeout_error(|_| Failed).timeout(TIMEOUT),
        Execute::new(move |()| operation.call()),
    );
    layers.into_service()
}

/// Leaked, so that threads share it as calls of one thread do, and the same code runs in both.
fn serve(case: Case, service: impl Stacked) -> Shared {
    let service = &*Box::leak(Box::new(service));
    Box::new(move || repeat(case, async move || service.execute(()).await))
}
