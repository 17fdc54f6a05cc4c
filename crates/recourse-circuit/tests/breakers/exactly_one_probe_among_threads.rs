//! However many threads ask at once, one probe is out at a time, and the circuit is never stuck.

use recourse_circuit::{ConsecutiveFailures, Recovery};
use recourse_core::{
    Admission, AdmissionRequest, AttemptKind, BreakerSettings, CircuitBreaker, CircuitState, Health, Moment,
    Now,
};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

const THREADS: u64 = 8;
const COOLDOWN: Duration = Duration::from_secs(1);

fn breaker(threshold: u32) -> Arc<dyn CircuitBreaker> {
    let settings = BreakerSettings::new(threshold, COOLDOWN);
    // Between two steps of a thread hours may pass here; a lease that ends would let a second probe out.
    let recovery = Recovery::fixed().lease(Duration::MAX);
    let kind = ConsecutiveFailures::new().recovery(recovery).build();
    kind.and_then(|kind| kind.one(settings)).expect("in range")
}

fn ask(breaker: &dyn CircuitBreaker, kind: AttemptKind, now: Moment) -> Admission {
    breaker.admit(&AdmissionRequest::new(kind, Now::at(now)))
}

#[test]
fn one_of_many_threads_gets_the_probe_when_the_cooldown_is_over() {
    const ROUNDS: u64 = 2_000;
    let breaker = breaker(1);
    if let Admission::Admitted(ticket, _) = ask(&*breaker, AttemptKind::Retry, Moment::ZERO) {
        breaker.report(ticket, Health::Down, &Now::at(Moment::ZERO));
    }
    let (probes, transitions) = (AtomicU32::new(0), AtomicU32::new(0));
    let barrier = Barrier::new(THREADS as usize);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut now = Moment::ZERO;
                for round in 1..=ROUNDS {
                    now = now + COOLDOWN;
                    barrier.wait();
                    let answer = ask(&*breaker, AttemptKind::Retry, now);
                    if let Admission::Admitted(ticket, moved) = &answer {
                        assert!(ticket.probe);
                        probes.fetch_add(1, Ordering::Relaxed);
                        transitions.fetch_add(u32::from(moved.is_some()), Ordering::Relaxed);
                    }
                    barrier.wait();
                    assert_eq!(probes.load(Ordering::Relaxed), u32::try_from(round).unwrap());
                    barrier.wait();
                    // Every third probe says nothing, so the next round begins half-open instead of open.
                    if let Admission::Admitted(ticket, _) = answer {
                        let health = if round % 3 == 0 { Health::None } else { Health::Down };
                        breaker.report(ticket, health, &Now::at(now));
                    }
                }
            });
        }
    });
    let half_open_rounds = u32::try_from((ROUNDS - 1) / 3).unwrap();
    assert_eq!(transitions.load(Ordering::Relaxed), u32::try_from(ROUNDS).unwrap() - half_open_rounds);
}

#[test]
fn a_storm_of_votes_never_lets_two_probes_out_nor_leaves_the_circuit_stuck() {
    const STEPS: u64 = 20_000;
    let breaker = breaker(3);
    let (clock, probes, opened) = (AtomicU64::new(0), AtomicU32::new(0), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (breaker, clock, probes, opened) = (&*breaker, &clock, &probes, &opened);
            scope.spawn(move || {
                let mut random = thread + 1;
                for _ in 0..STEPS {
                    random ^= random << 13;
                    random ^= random >> 7;
                    random ^= random << 17;
                    let now = Moment::from_nanos(
                        clock.fetch_add(COOLDOWN.as_nanos() as u64 / 8, Ordering::Relaxed),
                    );
                    let kind = if random & 1 == 0 { AttemptKind::Retry } else { AttemptKind::Hedge };
                    let Admission::Admitted(ticket, _) = ask(breaker, kind, now) else {
                        continue;
                    };
                    if ticket.probe {
                        assert_eq!(kind, AttemptKind::Retry);
                        assert_eq!(probes.fetch_add(1, Ordering::SeqCst), 0, "two probes at once");
                        std::thread::yield_now();
                        probes.fetch_sub(1, Ordering::SeqCst);
                    }
                    let health = match random >> 8 & 7 {
                        0 => Health::None,
                        1 | 2 => Health::Up,
                        _ => Health::Down,
                    };
                    if let Some(moved) = breaker.report(ticket, health, &Now::at(now)) {
                        assert_ne!(moved.from, moved.to);
                        opened.fetch_add(u32::from(moved.to == CircuitState::Open), Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert!(opened.load(Ordering::Relaxed) > 10, "the storm never opened the circuit");
    // Nothing is in flight: after one cooldown the next attempt goes through, and its success closes the circuit.
    let now = Moment::from_nanos(clock.load(Ordering::Relaxed)) + COOLDOWN;
    let Admission::Admitted(ticket, _) = ask(&*breaker, AttemptKind::Retry, now) else {
        panic!("stuck: {:?}", breaker.status(&Now::at(Moment::ZERO)));
    };
    breaker.report(ticket, Health::Up, &Now::at(now));
    assert_eq!((breaker.state(), breaker.status(&Now::at(Moment::ZERO)).failed), (CircuitState::Closed, 0));
}

#[test]
fn a_breaker_is_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>(_: &T) {}
    let breaker = breaker(1);
    shared(&breaker);
}
