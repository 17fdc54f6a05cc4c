//! A clock that goes backwards can't keep a circuit open for ever.

use recourse_circuit::ConsecutiveFailures;
use recourse_core::{
    Admission, AdmissionRequest, AttemptKind, BreakerSettings, CircuitBreaker, CircuitState, Health, Moment,
    Now, Ticket,
};
use std::sync::Arc;
use std::time::Duration;

const COOLDOWN: Duration = Duration::from_secs(10);

fn at(secs: u64) -> Moment {
    Moment::ZERO + Duration::from_secs(secs)
}

fn ask(breaker: &dyn CircuitBreaker, secs: u64) -> Option<Ticket> {
    match breaker.admit(&AdmissionRequest::new(AttemptKind::Retry, Now::at(at(secs)))) {
        Admission::Admitted(ticket, _) => Some(ticket),
        _ => None,
    }
}

fn breaker(cooldown: Duration) -> Arc<dyn CircuitBreaker> {
    let settings = BreakerSettings::new(1, cooldown);
    ConsecutiveFailures::new().build().and_then(|kind| kind.one(settings)).expect("in range")
}

fn opened_at(secs: u64) -> Arc<dyn CircuitBreaker> {
    let breaker = breaker(COOLDOWN);
    let ticket = ask(&*breaker, secs).expect("admitted");
    breaker.report(ticket, Health::Down, &Now::at(at(secs)));
    breaker
}

#[test]
fn the_cooldown_counts_from_the_first_attempt_on_the_new_time() {
    let breaker = opened_at(1_000_000);
    assert_eq!(ask(&*breaker, 5), None);
    assert_eq!(ask(&*breaker, 14), None);
    assert!(ask(&*breaker, 15).is_some());
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
}

#[test]
fn a_clock_that_goes_on_after_its_step_is_over_in_one_cooldown() {
    let breaker = opened_at(100);
    assert_eq!(ask(&*breaker, 99), None);
    assert_eq!(ask(&*breaker, 108), None);
    assert!(ask(&*breaker, 109).is_some());
}

#[test]
fn would_reject_counts_on_the_new_time_as_well() {
    let breaker = opened_at(1_000_000);
    let told = |wait| breaker.would_reject(&Now::at(at(5)), Duration::from_secs(wait));
    assert!(told(9).is_some());
    assert_eq!(told(10), None);
}

#[test]
fn the_end_of_time_is_no_trap() {
    let breaker = breaker(Duration::MAX);
    let ticket = ask(&*breaker, 1).unwrap();
    breaker.report(ticket, Health::Down, &Now::at(at(1)));
    assert_eq!(ask(&*breaker, u64::MAX / 2_000_000_000), None);
    assert!(ask(&*breaker, u64::MAX).is_some());
}
