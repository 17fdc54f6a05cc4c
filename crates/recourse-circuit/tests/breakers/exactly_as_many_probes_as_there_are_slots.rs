//! A half-open circuit lets exactly N probes out at once, and closes after M of them have succeeded.

use crate::by_hand::{ByHand, at};
use recourse_circuit::{ConsecutiveFailures, Recovery, cause};
use recourse_core::CircuitState::{Closed, HalfOpen, Open};
use recourse_core::{Admission, AttemptKind, Health, Rejection, Ticket, Transition};
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};

fn half_open(probes: u32, successes: u32) -> ByHand {
    let recovery = Recovery::fixed().probes(probes).successes(successes);
    let breaker = ByHand::of(ConsecutiveFailures::new().recovery(recovery).build(), 1);
    breaker.vote(0, Health::Down);
    breaker
}

fn tickets(breaker: &ByHand, count: usize) -> Vec<Ticket> {
    (0..count).map(|_| breaker.ticket(1_000)).collect()
}

#[test]
fn one_more_than_the_slots_is_rejected() {
    let breaker = half_open(3, 1);
    let probes = tickets(&breaker, 3);
    assert!(probes.iter().all(|ticket| ticket.probe));
    let limit = Rejection::new(HalfOpen, "circuit_half_open_probe_limit");
    assert_eq!(breaker.ask(AttemptKind::Retry, 1_000), Admission::Rejected(limit));
    breaker.report(probes[1], 1_000, Health::None);
    let again = breaker.ticket(1_000);
    assert_eq!(breaker.admitted(1_000), None);
    breaker.report(again, 1_000, Health::None);
    breaker.report(again, 1_000, Health::None);
    assert_eq!(breaker.status().probes, 2, "a slot was given back twice");
}

#[test]
fn so_many_successes_close_at_once_or_one_after_the_other() {
    for (slots, in_turn) in [(1, true), (3, false), (5, false)] {
        let breaker = half_open(slots, 3);
        let probes = if in_turn { vec![] } else { tickets(&breaker, 3) };
        let succeed = |nth: usize| {
            let ticket = probes.get(nth).copied().unwrap_or_else(|| breaker.ticket(1_000));
            breaker.report(ticket, 1_000, Health::Up)
        };
        assert_eq!((succeed(0), succeed(1)), (None, None));
        let closes = Transition::new(HalfOpen, Closed, cause::PROBE_SUCCEEDED, at(1_000));
        assert_eq!(succeed(2), Some(closes));
    }
}

#[test]
fn one_failure_opens_whatever_has_succeeded_and_forgets_it() {
    let breaker = half_open(2, 2);
    breaker.vote(1_000, Health::Up);
    let [failing, other] = [(); 2].map(|()| breaker.ticket(1_000));
    let opens = Transition::new(HalfOpen, Open, cause::PROBE_FAILED, at(1_000));
    assert_eq!(breaker.report(failing, 1_000, Health::Down), Some(opens));
    assert_eq!(breaker.report(other, 1_000, Health::Up), None);
    assert_eq!(breaker.vote(2_000, Health::Up), None);
    assert_eq!(breaker.report(other, 2_000, Health::Up), None, "a success of the time before");
    assert_eq!(breaker.vote(2_000, Health::Up).map(|moved| moved.to), Some(Closed));
}

#[test]
fn threads_that_ask_at_once_get_the_slots_and_no_more() {
    const THREADS: usize = 8;
    for slots in [1, 3, 8, 20] {
        let breaker = half_open(slots, 1);
        let (given, barrier) = (AtomicU32::new(0), Barrier::new(THREADS));
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    barrier.wait();
                    for _ in 0..100 {
                        let probe = breaker.admitted(1_000).is_some_and(|ticket| ticket.probe);
                        given.fetch_add(u32::from(probe), Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!((given.into_inner(), breaker.status().probes), (slots, slots));
    }
}
