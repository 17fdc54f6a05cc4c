//! A probe that never ends keeps its slot for its lease, and no longer: no circuit is stuck half-open.

use crate::by_hand::ByHand;
use recourse_circuit::{ConsecutiveFailures, Recovery, cause};
use recourse_core::CircuitState::{Closed, HalfOpen, Open};
use recourse_core::{Admission, AttemptKind, Health};
use std::time::Duration;

fn half_open(lease_millis: u64) -> ByHand {
    let recovery = Recovery::fixed().lease(Duration::from_millis(lease_millis));
    let breaker = ByHand::of(ConsecutiveFailures::new().recovery(recovery).build(), 1);
    breaker.vote(0, Health::Down);
    breaker
}

#[test]
fn the_default_lease_is_a_minute() {
    let breaker = ByHand::of(ConsecutiveFailures::new().build(), 1);
    breaker.vote(0, Health::Down);
    assert!(breaker.ticket(1_000).probe);
    assert_eq!(breaker.admitted(60_999), None);
    assert!(breaker.ticket(61_000).probe);
}

#[test]
fn the_late_result_of_an_expired_probe_is_ignored() {
    let breaker = half_open(500);
    let hung = breaker.ticket(1_000);
    assert_eq!(breaker.admitted(1_499), None);
    let second = breaker.ticket(1_500);
    for health in [Health::Up, Health::Down, Health::Throttled, Health::None] {
        assert_eq!(breaker.report(hung, 1_600, health), None);
    }
    assert_eq!(breaker.abandon(hung, 1_600), None);
    assert_eq!((breaker.state(), breaker.status().probes), (HalfOpen, 1));
    assert_eq!(breaker.report(second, 1_700, Health::Up).map(|moved| moved.to), Some(Closed));
}

#[test]
fn a_late_result_counts_while_nobody_has_taken_the_slot() {
    let breaker = half_open(500);
    let late = breaker.ticket(1_000);
    let moved = breaker.report(late, 90_000, Health::Down).expect("a probe's vote");
    assert_eq!((moved.to, moved.cause.as_str()), (Open, cause::PROBE_FAILED));
}

#[test]
fn operations_that_outlast_the_lease_are_heard_in_the_end() {
    let breaker = half_open(500);
    let (mut now, mut rounds) = (1_000, 0);
    // Each attempt takes five seconds, and another one asks all the time.
    let closed = loop {
        let probe = breaker.ticket(now);
        let overtaken = (now..now + 5_000).step_by(100).find(|at| breaker.admitted(*at).is_some());
        match overtaken {
            // Who has overtaken it takes as long; begin again there.
            Some(at) => now = at + 5_000,
            None => break breaker.report(probe, now + 5_000, Health::Up),
        }
        rounds += 1;
        assert!(rounds < 10, "never heard");
    };
    assert_eq!(closed.map(|moved| moved.to), Some(Closed));
}

#[test]
fn on_a_clock_that_went_back_the_lease_counts_from_then() {
    let breaker = half_open(500);
    let _hung = breaker.ticket(1_000_000);
    assert_eq!(breaker.admitted(10), None);
    assert_eq!(breaker.admitted(509), None);
    assert!(breaker.ticket(510).probe);
}

#[test]
fn a_hedge_takes_no_slot_that_a_lease_has_freed() {
    let breaker = half_open(500);
    let _hung = breaker.ticket(1_000);
    assert!(matches!(breaker.ask(AttemptKind::Hedge, 9_000), Admission::Rejected(_)));
    assert!(breaker.ticket(9_000).probe);
}
