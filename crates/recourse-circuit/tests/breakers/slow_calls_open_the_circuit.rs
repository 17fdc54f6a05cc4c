//! An attempt longer than the limit counts as slow, whatever its answer.

use crate::by_hand::{ByHand, at};
use recourse_circuit::{FailureRatio, Recovery, SlowCalls, cause};
use recourse_core::CircuitState::{Closed, HalfOpen, Open};
use recourse_core::{Admission, AdmissionRequest, AttemptKind, Clock, Health, Moment, Now, Transition};
use std::time::Duration;

const LIMIT: u64 = 100;

fn slow_calls() -> ByHand {
    let window = FailureRatio::over_attempts(10).minimum_attempts(4).recovery(Recovery::fixed());
    let kind = SlowCalls::longer_than(Duration::from_millis(LIMIT)).slow_ratio(0.5).beside(window);
    ByHand::of(kind.build(), 2)
}

fn taking(breaker: &ByHand, start: u64, millis: u64, health: Health) -> Option<Transition> {
    let ticket = breaker.ticket(start);
    breaker.report(ticket, start + millis, health)
}

#[test]
fn slow_successes_open_it() {
    let breaker = slow_calls();
    taking(&breaker, 0, LIMIT, Health::Up);
    taking(&breaker, 0, 1, Health::Up);
    taking(&breaker, 0, LIMIT + 1, Health::Up);
    assert_eq!(breaker.counts(), (3, 0, 1));
    let opens = Transition::new(Closed, Open, cause::SLOW_CALLS, at(LIMIT + 1));
    assert_eq!(taking(&breaker, 0, LIMIT + 1, Health::Up), Some(opens));
}

#[test]
fn quick_failures_open_it_too() {
    let breaker = slow_calls();
    breaker.votes(0, 2, Health::Up);
    breaker.vote(0, Health::Down);
    let opens = breaker.vote(0, Health::Down).expect("half of four");
    assert_eq!(opens.cause, cause::FAILURE_RATIO);
}

#[test]
fn an_attempt_given_up_after_the_limit_is_slow_and_before_it_nothing() {
    let breaker = slow_calls();
    breaker.votes(0, 2, Health::Up);
    for _ in 0..9 {
        assert_eq!(breaker.abandon(breaker.ticket(0), LIMIT), None);
    }
    assert_eq!(breaker.counts(), (2, 0, 0));
    assert_eq!(breaker.vote(0, Health::Up), None);
    assert_eq!(breaker.abandon(breaker.ticket(0), LIMIT + 1), None);
    assert_eq!(breaker.abandon(breaker.ticket(0), LIMIT + 1), None);
    assert_eq!(breaker.counts(), (5, 0, 2));
    let opens = breaker.abandon(breaker.ticket(0), LIMIT + 1).expect("three of six");
    assert_eq!(opens.cause, cause::SLOW_CALLS);
}

#[test]
fn a_side_that_hedges_always_win_against_opens_it_in_the_end() {
    let breaker = slow_calls();
    let opened = (0..100).find_map(|_| {
        let (primary, hedge) = (breaker.ticket(0), breaker.ticket(LIMIT));
        breaker.report(hedge, LIMIT + 20, Health::Up);
        breaker.abandon(primary, LIMIT + 20)
    });
    assert_eq!(opened.map(|moved| moved.cause), Some(cause::SLOW_CALLS.into()));
}

#[test]
fn a_slow_probe_opens_it_again() {
    let breaker = slow_calls();
    breaker.votes(0, 4, Health::Down);
    let opens = Transition::new(HalfOpen, Open, cause::PROBE_SLOW, at(1_000 + LIMIT + 1));
    assert_eq!(taking(&breaker, 1_000, LIMIT + 1, Health::Up), Some(opens));
    let closes = taking(&breaker, 3_000, LIMIT, Health::Up).expect("in time");
    assert_eq!(closes.to, Closed);
}

#[test]
fn on_a_clock_that_went_back_nothing_is_slow() {
    let breaker = slow_calls();
    let ticket = breaker.ticket(1_000_000);
    breaker.report(ticket, 5, Health::Up);
    assert_eq!(breaker.counts(), (1, 0, 0));
}

#[test]
fn no_other_breaker_reads_a_clock_when_it_admits() {
    struct Broken;
    impl Clock for Broken {
        fn now(&self) -> Moment {
            panic!("the clock was read")
        }
    }
    let second = Duration::from_secs(1);
    for kind in [FailureRatio::over_attempts(10), FailureRatio::over_time(second)] {
        let breaker = ByHand::of(kind.build(), 1);
        let answer = breaker.0.admit(&AdmissionRequest::new(AttemptKind::Retry, Now::of(&Broken)));
        let Admission::Admitted(ticket, None) = answer else { panic!("{answer:?}") };
        assert_eq!(ticket.admitted_at, Moment::ZERO);
    }
}
