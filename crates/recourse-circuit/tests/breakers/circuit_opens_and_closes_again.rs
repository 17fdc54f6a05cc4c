//! The way of a circuit: closed, open, half-open, closed again or open again, with a cause for each change.

use recourse_circuit::{ConsecutiveFailures, cause};
use recourse_core::CircuitState::{Closed, HalfOpen, Open};
use recourse_core::{
    Admission, AdmissionRequest, AttemptKind, BreakerSettings, CircuitBreaker, Health, Moment, Now,
    Rejection, Ticket, Transition,
};
use std::sync::Arc;
use std::time::Duration;

fn at(millis: u64) -> Moment {
    Moment::ZERO + Duration::from_millis(millis)
}

fn breaker(threshold: u32) -> Arc<dyn CircuitBreaker> {
    let settings = BreakerSettings::new(threshold, Duration::from_secs(1));
    ConsecutiveFailures::new().build().and_then(|kind| kind.one(settings)).expect("in range")
}

fn ask(breaker: &dyn CircuitBreaker, kind: AttemptKind, millis: u64) -> Admission {
    breaker.admit(&AdmissionRequest::new(kind, Now::at(at(millis))))
}

fn ticket(breaker: &dyn CircuitBreaker, millis: u64) -> Ticket {
    match ask(breaker, AttemptKind::Retry, millis) {
        Admission::Admitted(ticket, _) => ticket,
        other => panic!("not admitted: {other:?}"),
    }
}

fn vote(breaker: &dyn CircuitBreaker, millis: u64, health: Health) -> Option<Transition> {
    breaker.report(ticket(breaker, millis), health, &Now::at(at(millis)))
}

fn opened(threshold: u32) -> Arc<dyn CircuitBreaker> {
    let breaker = breaker(threshold);
    for _ in 0..threshold {
        vote(&*breaker, 0, Health::Down);
    }
    assert_eq!(breaker.state(), Open);
    breaker
}

#[test]
fn the_failure_that_reaches_the_threshold_opens() {
    let breaker = breaker(3);
    assert_eq!(vote(&*breaker, 1, Health::Down), None);
    assert_eq!(vote(&*breaker, 2, Health::Down), None);
    assert_eq!((breaker.state(), breaker.status(&Now::at(Moment::ZERO)).failed), (Closed, 2));
    let opens = Transition::new(Closed, Open, cause::CONSECUTIVE_FAILURES, at(3));
    assert_eq!(vote(&*breaker, 3, Health::Down), Some(opens));
    assert_eq!((breaker.state(), breaker.status(&Now::at(Moment::ZERO)).failed), (Open, 3));
}

#[test]
fn a_success_starts_the_count_anew_and_a_silent_attempt_does_not() {
    let breaker = breaker(2);
    vote(&*breaker, 0, Health::Down);
    vote(&*breaker, 0, Health::Up);
    assert_eq!(breaker.status(&Now::at(Moment::ZERO)).failed, 0);
    vote(&*breaker, 0, Health::Down);
    vote(&*breaker, 0, Health::None);
    assert_eq!(breaker.status(&Now::at(Moment::ZERO)).failed, 1);
    assert!(vote(&*breaker, 0, Health::Down).is_some());
}

#[test]
fn an_open_circuit_rejects_until_the_cooldown_is_over() {
    let breaker = opened(2);
    let rejected = Admission::Rejected(Rejection::new(Open, "circuit_open"));
    assert_eq!(ask(&*breaker, AttemptKind::Retry, 999), rejected);
    let moved = Transition::new(Open, HalfOpen, cause::COOLDOWN_OVER, at(1_000));
    let answer = ask(&*breaker, AttemptKind::Retry, 1_000);
    assert!(
        matches!(&answer, Admission::Admitted(ticket, Some(told)) if ticket.probe && *told == moved),
        "{answer:?}"
    );
    assert_eq!(breaker.state(), HalfOpen);
}

#[test]
fn a_probe_that_succeeds_closes_and_one_that_fails_opens_for_another_cooldown() {
    let breaker = opened(2);
    let reopens = Transition::new(HalfOpen, Open, cause::PROBE_FAILED, at(1_500));
    assert_eq!(vote(&*breaker, 1_500, Health::Down), Some(reopens));
    assert!(matches!(ask(&*breaker, AttemptKind::Retry, 2_499), Admission::Rejected(_)));
    let closes = Transition::new(HalfOpen, Closed, cause::PROBE_SUCCEEDED, at(2_500));
    assert_eq!(vote(&*breaker, 2_500, Health::Up), Some(closes));
    assert_eq!((breaker.state(), breaker.status(&Now::at(Moment::ZERO)).failed), (Closed, 0));
}

#[test]
fn a_second_attempt_finds_the_probe_taken() {
    let breaker = opened(1);
    let _probe = ticket(&*breaker, 1_000);
    let rejected = Admission::Rejected(Rejection::new(HalfOpen, "circuit_half_open_probe_limit"));
    assert_eq!(ask(&*breaker, AttemptKind::Retry, 9_000), rejected);
}

#[test]
fn a_probe_that_says_nothing_gives_its_slot_back() {
    let breaker = opened(1);
    for millis in [1_000, 1_001, 1_002] {
        assert_eq!(vote(&*breaker, millis, Health::None), None);
        assert_eq!(breaker.state(), HalfOpen);
    }
    assert!(vote(&*breaker, 1_003, Health::Up).is_some());
}

#[test]
fn a_hedge_never_takes_the_probe_slot() {
    let breaker = opened(1);
    let open = Admission::Rejected(Rejection::new(Open, "circuit_open"));
    assert_eq!(ask(&*breaker, AttemptKind::Hedge, 5_000), open);
    assert_eq!(vote(&*breaker, 5_000, Health::None), None);
    let half_open = Admission::Rejected(Rejection::new(HalfOpen, "circuit_half_open_probe_limit"));
    assert_eq!(ask(&*breaker, AttemptKind::Hedge, 5_000), half_open);
    assert!(ticket(&*breaker, 5_000).probe);
}

#[test]
fn a_result_from_before_the_last_change_is_ignored() {
    let breaker = breaker(1);
    let [early, late] = [ticket(&*breaker, 0), ticket(&*breaker, 0)];
    breaker.report(early, Health::Down, &Now::at(at(0)));
    let probe = ticket(&*breaker, 1_000);
    for health in [Health::Up, Health::Down, Health::None] {
        assert_eq!(breaker.report(late, health, &Now::at(at(1_000))), None);
    }
    assert!(matches!(ask(&*breaker, AttemptKind::Retry, 1_000), Admission::Rejected(_)));
    breaker.report(probe, Health::Up, &Now::at(at(1_000)));
    assert_eq!(breaker.report(late, Health::Down, &Now::at(at(1_000))), None);
    assert_eq!((breaker.state(), breaker.status(&Now::at(Moment::ZERO)).failed), (Closed, 0));
}

#[test]
fn an_old_probe_does_not_free_the_slot_of_the_present_one() {
    let breaker = opened(1);
    let given_back = ticket(&*breaker, 1_000);
    breaker.report(given_back, Health::None, &Now::at(at(1_000)));
    let present = ticket(&*breaker, 1_000);
    assert_eq!(breaker.report(given_back, Health::None, &Now::at(at(1_000))), None);
    assert_eq!(breaker.report(given_back, Health::Up, &Now::at(at(1_000))), None);
    assert!(matches!(ask(&*breaker, AttemptKind::Retry, 1_000), Admission::Rejected(_)));
    assert!(breaker.report(present, Health::Up, &Now::at(at(1_000))).is_some());
}

#[test]
fn would_reject_says_whether_the_circuit_stays_open_longer_than_the_wait() {
    let breaker = opened(1);
    let told = |now, wait| breaker.would_reject(&Now::at(at(now)), Duration::from_millis(wait));
    let open = Some(Rejection::new(Open, "circuit_open"));
    assert_eq!(told(0, 999), open);
    assert_eq!(told(0, 1_000), None);
    assert_eq!(told(400, 599), open);
    assert_eq!(told(400, 600), None);
    assert_eq!(told(400, u64::MAX), None);
    assert_eq!(breaker.state(), Open, "asking took something");
    let _probe = ticket(&*breaker, 1_000);
    assert_eq!(told(1_000, 0), None);
}
