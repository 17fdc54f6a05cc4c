//! A window opens the circuit when enough of its attempts failed, and slides.

use crate::by_hand::{ByHand, at};
use recourse_circuit::{FailureRatio, cause};
use recourse_core::CircuitState::{Closed, Open};
use recourse_core::{BreakerFactory, BreakerSettings, CircuitMode, Health, Key, Transition};
use std::time::Duration;

fn attempts(window: u32, minimum: u32) -> FailureRatio {
    FailureRatio::over_attempts(window).minimum_attempts(minimum)
}

fn seconds(window: u64, minimum: u32) -> FailureRatio {
    FailureRatio::over_time(Duration::from_secs(window)).minimum_attempts(minimum)
}

#[test]
fn the_failure_that_reaches_the_ratio_opens() {
    for kind in [attempts(10, 4), seconds(10, 4)] {
        let breaker = ByHand::of(kind.ratio(0.6).build(), 1);
        breaker.votes(0, 2, Health::Up);
        breaker.votes(0, 2, Health::Down);
        assert_eq!((breaker.state(), breaker.counts()), (Closed, (4, 2, 0)));
        let opens = Transition::new(Closed, Open, cause::FAILURE_RATIO, at(5));
        assert_eq!(breaker.vote(5, Health::Down), Some(opens));
    }
}

#[test]
fn too_few_attempts_are_not_judged_and_a_success_never_opens() {
    for kind in [attempts(10, 4), seconds(10, 4)] {
        let breaker = ByHand::of(kind.build(), 1);
        breaker.votes(0, 3, Health::Down);
        assert_eq!(breaker.vote(0, Health::Up), None, "a success opened the circuit");
        assert_eq!(breaker.state(), Closed);
        assert!(breaker.vote(0, Health::Down).is_some());
    }
}

#[test]
fn fewer_failures_than_the_threshold_are_not_judged() {
    for kind in [attempts(10, 1), seconds(10, 1)] {
        let breaker = ByHand::of(kind.build(), 4);
        breaker.votes(0, 3, Health::Down);
        assert_eq!(breaker.state(), Closed);
        assert!(breaker.vote(0, Health::Down).is_some());
    }
}

#[test]
fn over_attempts_the_oldest_leaves_as_the_newest_comes() {
    let breaker = ByHand::of(attempts(10, 10).build(), 1);
    breaker.votes(0, 4, Health::Down);
    breaker.votes(0, 6, Health::Up);
    assert_eq!(breaker.counts(), (10, 4, 0));
    breaker.vote(0, Health::Down);
    assert_eq!((breaker.state(), breaker.counts()), (Closed, (10, 4, 0)));
    breaker.votes(0, 1_000, Health::Up);
    assert_eq!(breaker.counts(), (10, 0, 0));
    breaker.votes(0, 4, Health::Down);
    assert_eq!(breaker.state(), Closed);
    assert!(breaker.vote(0, Health::Down).is_some());
}

#[test]
fn over_time_what_is_older_than_the_window_has_left() {
    let breaker = ByHand::of(seconds(10, 1).ratio(1.0).build(), 3);
    breaker.votes(500, 2, Health::Down);
    breaker.vote(9_999, Health::Up);
    assert_eq!(breaker.counts(), (3, 2, 0));
    breaker.vote(10_000, Health::Up);
    assert_eq!(breaker.counts(), (2, 0, 0), "a window of ten seconds slides by one");
    breaker.votes(25_000, 2, Health::Down);
    assert_eq!(breaker.counts(), (2, 2, 0));
    assert!(breaker.vote(25_000, Health::Down).is_some());
}

#[test]
fn a_window_begins_empty_when_the_circuit_closes() {
    for kind in [attempts(4, 2), seconds(10, 2)] {
        let breaker = ByHand::of(kind.recovery(recourse_circuit::Recovery::fixed()).build(), 1);
        let [early, late] = [(); 2].map(|()| breaker.ticket(0));
        breaker.votes(0, 2, Health::Down);
        assert_eq!((breaker.state(), breaker.counts()), (Open, (2, 2, 0)));
        breaker.report(early, 0, Health::Up);
        breaker.vote(1_000, Health::Up);
        breaker.report(late, 1_000, Health::Up);
        breaker.report(late, 1_000, Health::Down);
        assert_eq!((breaker.state(), breaker.counts()), (Closed, (0, 0, 0)));
    }
}

#[test]
fn an_attempt_that_says_nothing_is_not_counted() {
    for kind in [attempts(10, 1), seconds(10, 1)] {
        let breaker = ByHand::of(kind.build(), 5);
        breaker.votes(0, 9, Health::None);
        assert_eq!(breaker.counts(), (0, 0, 0));
    }
}

#[test]
fn over_time_a_clock_that_jumps_or_goes_back_is_no_trap() {
    let breaker = ByHand::of(seconds(10, 2).recovery(recourse_circuit::Recovery::fixed()).build(), 2);
    breaker.votes(1_000_000, 50, Health::Up);
    breaker.vote(1_000_000, Health::Down);
    breaker.votes(5, 2, Health::Down);
    assert_eq!(breaker.state(), Open, "successes of a time to come");
    assert!(breaker.ticket(1_005).probe);
    let breaker = ByHand::of(seconds(10, 2).build(), 2);
    breaker.votes(u64::MAX / 2, 2, Health::Up);
    breaker.votes(0, 3, Health::Up);
    assert_eq!(breaker.counts(), (3, 0, 0));
    breaker.votes(0, 3, Health::Down);
    assert_eq!(breaker.state(), Open);
}

#[test]
fn a_threshold_that_the_window_cannot_hold_is_an_error_and_in_a_factory_as_large_as_the_window() {
    let (kind, second) = (FailureRatio::over_attempts(4).build().unwrap(), Duration::from_secs(1));
    let error = kind.one(BreakerSettings::new(5, second)).map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "circuit.threshold = 5 is not allowed: 1 to 4");
    assert_eq!(kind.max_threshold(), 4);
    assert_eq!(FailureRatio::over_time(second).build().unwrap().max_threshold(), u32::MAX);

    let breaker = ByHand::new(kind.breaker(&Key::from_static("a.b"), &BreakerSettings::new(5, second)));
    breaker.votes(0, 4, Health::Down);
    assert_eq!(breaker.state(), Open);
    breaker.0.set_mode(CircuitMode::ForcedClosed);
    breaker.0.set_mode(CircuitMode::Enforcing);
    breaker.0.reconfigure(&BreakerSettings::new(100, second));
    breaker.votes(0, 4, Health::Down);
    assert_eq!(breaker.state(), Open);
}
