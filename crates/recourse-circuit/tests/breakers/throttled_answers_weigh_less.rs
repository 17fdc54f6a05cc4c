//! A throttled answer is a part of a failure; how large a part, each kind says.

use crate::by_hand::ByHand;
use recourse_circuit::{ConsecutiveFailures, FailureRatio, Recovery};
use recourse_core::CircuitState::{Closed, HalfOpen, Open};
use recourse_core::Health::{Down, Throttled, Up};
use std::time::Duration;

#[test]
fn by_default_it_is_a_failure_in_a_row() {
    let breaker = ByHand::of(ConsecutiveFailures::new().build(), 3);
    breaker.votes(0, 2, Throttled);
    assert_eq!((breaker.state(), breaker.counts()), (Closed, (2, 2, 0)));
    assert!(breaker.vote(0, Throttled).is_some());
}

#[test]
fn at_half_the_weight_twice_as_many_open() {
    let breaker = ByHand::of(ConsecutiveFailures::new().throttled_weight(0.5).build(), 3);
    breaker.votes(0, 5, Throttled);
    assert_eq!(breaker.state(), Closed);
    assert!(breaker.vote(0, Throttled).is_some());
}

#[test]
fn at_no_weight_it_neither_counts_nor_ends_the_row() {
    let breaker = ByHand::of(ConsecutiveFailures::new().throttled_weight(0.0).build(), 2);
    breaker.vote(0, Down);
    breaker.votes(0, 9, Throttled);
    assert_eq!(breaker.counts(), (1, 1, 0));
    assert!(breaker.vote(0, Down).is_some());
    breaker.vote(1_000, Throttled);
    assert_eq!(breaker.state(), HalfOpen, "a probe that says nothing");
    assert!(breaker.vote(1_000, Up).is_some());
}

#[test]
fn in_a_window_it_is_half_a_failure_by_default() {
    for kind in [FailureRatio::over_attempts(10), FailureRatio::over_time(Duration::from_secs(10))] {
        let breaker = ByHand::of(kind.minimum_attempts(4).build(), 1);
        breaker.votes(0, 2, Up);
        breaker.votes(0, 2, Throttled);
        assert_eq!((breaker.state(), breaker.counts()), (Closed, (4, 2, 0)));
        breaker.votes(0, 1, Down);
        assert_eq!(breaker.state(), Closed, "two of five");
        breaker.votes(0, 1, Down);
        assert_eq!(breaker.state(), Open, "three of six");
    }
}

#[test]
fn a_throttled_probe_has_failed() {
    let recovery = Recovery::fixed();
    for kind in [
        ConsecutiveFailures::new().throttled_weight(0.1).build(),
        FailureRatio::over_attempts(1).ratio(0.1).throttled_weight(0.1).recovery(recovery).build(),
    ] {
        let breaker = ByHand::of(kind, 1);
        breaker.vote(0, Down);
        assert_eq!(breaker.vote(1_000, Throttled).map(|moved| moved.to), Some(Open));
    }
}
