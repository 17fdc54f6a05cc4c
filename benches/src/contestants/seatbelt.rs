//! seatbelt: retry, timeout, breaker and hedging as layers round one service.
//!
//! Does: a policy and a classifier shared by all calls, jittered backoff from a shared clock (tokio's), a breaker over
//! a time window, hedging after a fixed delay. Telemetry is compiled out.
//! Doesn't: budgets, keys, records. Where three attempts fail the base delay is zero, which its clock doesn't sleep.

use crate::case::Case;
use crate::harness::{Runner, block_on, repeat};
use crate::operation::{Answer, Failed, Failing, Operation, PendingOnce, Ready};
use crate::settings::{ATTEMPTS, HEDGE_AFTER, OPEN_FOR, TIMEOUT};
use layered::{Execute, Service, Stack};
use seatbelt::breaker::Breaker;
use seatbelt::hedging::Hedging;
use seatbelt::retry::Retry;
use seatbelt::timeout::Timeout;
use seatbelt::{RecoveryInfo, ResilienceContext};
use std::time::Duration;
use tick::Clock;

/// A runner of the case, if it can do it.
pub fn prepare(case: Case) -> Option<Runner> {
    match case {
        Case::Plain => Some(retry(case, Ready)),
        Case::PlainPending => Some(retry(case, PendingOnce)),
        Case::ThreeFail => Some(retry(case, Failing)),
        Case::Timeout => Some(retry_with_timeout(case, Ready)),
        Case::TimeoutArmed => Some(retry_with_timeout(case, PendingOnce)),
        Case::BreakerClosed => Some(breaker_closed(case)),
        Case::BreakerOpen => Some(breaker_open(case)),
        Case::Hedge => Some(hedge(case, Ready)),
        Case::HedgeArmed => Some(hedge(case, PendingOnce)),
        Case::All => Some(all_but_budget(case, Ready)),
        Case::AllArmed => Some(all_but_budget(case, PendingOnce)),
        _ => None,
    }
}

fn context() -> ResilienceContext<(), Answer> {
    ResilienceContext::new(block_on(async { Clock::new_tokio() }))
}

fn judge(answer: &Answer) -> RecoveryInfo {
    match answer {
        Ok(_) => RecoveryInfo::never(),
        Err(Failed) => RecoveryInfo::retry(),
    }
}

fn retry(case: Case, operation: impl Operation) -> Runner {
    let layers = (
        Retry::layer("retry", &context())
            .clone_input()
            .recovery_with(|answer, _| judge(answer))
            .max_retry_attempts(ATTEMPTS - 1)
            .base_delay(Duration::ZERO),
        Execute::new(move |()| operation.call()),
    );
    serve(case, layers.into_service())
}

fn retry_with_timeout(case: Case, operation: impl Operation) -> Runner {
    let context = context();
    let layers = (
        Retry::layer("retry", &context)
            .clone_input()
            .recovery_with(|answer, _| judge(answer))
            .max_retry_attempts(ATTEMPTS - 1),
        Timeout::layer("timeout", &context).timeout_error(|_| Failed).timeout(TIMEOUT),
        Execute::new(move |()| operation.call()),
    );
    serve(case, layers.into_service())
}

fn breaker_closed(case: Case) -> Runner {
    let layers = (
        Breaker::layer("breaker", &context())
            .recovery_with(|answer, _| judge(answer))
            .rejected_input_error(|(), _| Failed)
            .break_duration(OPEN_FOR),
        Execute::new(move |()| Ready.call()),
    );
    serve(case, layers.into_service())
}

/// Its breaker can't be opened by hand: the operation fails a hundred times first.
fn breaker_open(case: Case) -> Runner {
    let layers = (
        Breaker::layer("breaker", &context())
            .recovery_with(|answer, _| judge(answer))
            .rejected_input_error(|(), _| Failed)
            .min_throughput(10)
            .break_duration(OPEN_FOR),
        Execute::new(move |()| Failing.call()),
    );
    let service = layers.into_service();
    for _ in 0..100 {
        assert!(block_on(service.execute(())).is_err());
    }
    serve(case, service)
}

fn hedge(case: Case, operation: impl Operation) -> Runner {
    let layers = (
        Hedging::layer("hedging", &context())
            .clone_input()
            .recovery_with(|answer, _| judge(answer))
            .hedging_delay(HEDGE_AFTER),
        Execute::new(move |()| operation.call()),
    );
    serve(case, layers.into_service())
}

fn all_but_budget(case: Case, operation: impl Operation) -> Runner {
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
    serve(case, layers.into_service())
}

fn serve(case: Case, service: impl Service<(), Out = Answer> + 'static) -> Runner {
    repeat(case, async move || service.execute(()).await)
}
