//! A breaker follows its policy: changed settings take effect at once, and no state is lost.

use recourse_circuit::{ConsecutiveFailures, FailureRatio, consecutive_failures};
use recourse_core::{
    Admission, AdmissionRequest, AttemptKind, BreakerFactory, BreakerSettings, CircuitBreaker, CircuitState,
    Health, Key, Moment, Now, Ticket,
};
use std::sync::Arc;
use std::time::Duration;

fn settings(threshold: u32, secs: u64) -> BreakerSettings {
    BreakerSettings::new(threshold, Duration::from_secs(secs))
}

fn at(secs: u64) -> Moment {
    Moment::ZERO + Duration::from_secs(secs)
}

fn ask(breaker: &dyn CircuitBreaker, secs: u64) -> Option<Ticket> {
    match breaker.admit(&AdmissionRequest::new(AttemptKind::Retry, Now::at(at(secs)))) {
        Admission::Admitted(ticket, _) => Some(ticket),
        _ => None,
    }
}

fn breaker(settings: BreakerSettings) -> Arc<dyn CircuitBreaker> {
    ConsecutiveFailures::new().build().and_then(|kind| kind.one(settings)).expect("in range")
}

fn fail(breaker: &dyn CircuitBreaker, secs: u64) {
    let ticket = ask(breaker, secs).expect("admitted");
    breaker.report(ticket, Health::Down, &Now::at(at(secs)));
}

#[test]
fn a_count_beyond_the_new_threshold_opens_at_the_next_failure() {
    let breaker = breaker(settings(5, 10));
    for _ in 0..3 {
        fail(&*breaker, 0);
    }
    breaker.reconfigure(&settings(2, 10));
    assert_eq!((breaker.state(), breaker.status(&Now::at(Moment::ZERO)).failed), (CircuitState::Closed, 3));
    fail(&*breaker, 0);
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[test]
fn a_higher_threshold_counts_on_from_where_it_was() {
    let breaker = breaker(settings(2, 10));
    fail(&*breaker, 0);
    breaker.reconfigure(&settings(3, 10));
    fail(&*breaker, 0);
    assert_eq!(breaker.state(), CircuitState::Closed);
    fail(&*breaker, 0);
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[test]
fn a_changed_cooldown_applies_to_a_circuit_that_is_open() {
    let breaker = breaker(settings(1, 10));
    fail(&*breaker, 100);
    breaker.reconfigure(&settings(1, 50));
    assert_eq!(ask(&*breaker, 149), None);
    assert!(breaker.would_reject(&Now::at(at(100)), Duration::from_secs(49)).is_some());
    breaker.reconfigure(&settings(1, 5));
    assert_eq!(breaker.would_reject(&Now::at(at(100)), Duration::from_secs(5)), None);
    assert!(ask(&*breaker, 105).is_some_and(|ticket| ticket.probe));
}

#[test]
fn a_probe_in_flight_keeps_its_slot_and_its_vote() {
    let breaker = breaker(settings(1, 10));
    fail(&*breaker, 0);
    let probe = ask(&*breaker, 10).unwrap();
    breaker.reconfigure(&settings(9, 90));
    assert_eq!(ask(&*breaker, 69), None);
    breaker.report(probe, Health::Up, &Now::at(at(1_000)));
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn the_factory_makes_a_closed_breaker_of_its_own_for_each_key() {
    let factory: &dyn BreakerFactory = &consecutive_failures;
    let [one, other] =
        ["a.one", "a.other"].map(|key| factory.breaker(&Key::from_static(key), &settings(1, 10)));
    fail(&*one, 0);
    assert_eq!((one.state(), other.state()), (CircuitState::Open, CircuitState::Closed));
}

#[test]
fn a_window_keeps_what_it_holds() {
    let breaker = FailureRatio::over_attempts(10).minimum_attempts(4).build().unwrap();
    let breaker = breaker.one(settings(9, 10)).unwrap();
    for _ in 0..6 {
        fail(&*breaker, 0);
    }
    breaker.reconfigure(&settings(7, 10));
    assert_eq!((breaker.state(), breaker.status(&Now::at(Moment::ZERO)).failed), (CircuitState::Closed, 6));
    fail(&*breaker, 0);
    assert_eq!(breaker.state(), CircuitState::Open);
}
