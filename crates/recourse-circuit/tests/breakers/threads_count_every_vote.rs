//! However many threads vote at once, no vote is lost and none is counted twice.

use crate::by_hand::ByHand;
use recourse_circuit::{FailureRatio, Recovery};
use recourse_core::{CircuitState, Health};
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const THREADS: u64 = 8;

#[test]
fn a_window_holds_the_votes_of_all_threads() {
    const VOTES: u64 = 1_000;
    for kind in [FailureRatio::over_attempts(10_000), FailureRatio::over_time(Duration::from_secs(10))] {
        let breaker = ByHand::of(kind.ratio(1.0).build(), 1);
        breaker.vote(0, Health::Up);
        let barrier = Barrier::new(8);
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let (breaker, barrier) = (&breaker, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    for vote in 0..VOTES {
                        let failed = (thread + vote) % 4 == 0;
                        breaker.vote(vote, if failed { Health::Down } else { Health::Up });
                    }
                });
            }
        });
        assert_eq!(breaker.counts(), (THREADS * VOTES + 1, THREADS * VOTES / 4, 0));
    }
}

#[test]
fn a_verdict_heeds_the_good_votes_of_every_thread() {
    const GOOD: u32 = 64;
    for kind in [FailureRatio::over_attempts(100), FailureRatio::over_time(Duration::from_secs(10))] {
        let kind = kind.ratio(1.0 / f64::from(GOOD)).minimum_attempts(1);
        let breaker = ByHand::of(kind.build(), 1);
        for _ in 0..GOOD {
            std::thread::scope(|scope| _ = scope.spawn(|| breaker.vote(0, Health::Up)));
        }
        assert_eq!(breaker.vote(0, Health::Down), None, "one of 65; one of 64 would be enough");
        assert!(breaker.vote(0, Health::Down).is_some());
    }
}

#[test]
fn a_storm_of_votes_never_lets_too_many_probes_out_nor_leaves_a_window_stuck() {
    const STEPS: u64 = 10_000;
    // Between two steps of a thread hours may pass here; a lease that ends would let a third probe out.
    let recovery =
        Recovery::growing(Duration::from_secs(4)).probes(2).successes(2).seed(1).lease(Duration::MAX);
    let second = Duration::from_secs(1);
    for kind in [FailureRatio::over_attempts(16), FailureRatio::over_time(second * 4)] {
        let breaker = ByHand::of(kind.minimum_attempts(4).recovery(recovery).build(), 2);
        let (clock, opened) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let (breaker, clock, opened) = (&breaker, &clock, &opened);
                scope.spawn(move || {
                    let mut random = xorshift(thread + 1);
                    for _ in 0..STEPS {
                        let now = clock.fetch_add(50, Ordering::Relaxed);
                        let Some(ticket) = breaker.admitted(now) else { continue };
                        if ticket.probe {
                            // By the breaker's own count: a probe of an earlier half-open circuit may still be on its
                            // way here, and holds no slot.
                            std::thread::yield_now();
                            assert!(breaker.status().probes <= 2, "three probes at once");
                        }
                        let moved = match random() % 8 {
                            0 => breaker.report(ticket, now, Health::None),
                            1 => breaker.abandon(ticket, now),
                            2 => breaker.report(ticket, now, Health::Throttled),
                            3..6 => breaker.report(ticket, now, Health::Up),
                            _ => breaker.report(ticket, now, Health::Down),
                        };
                        let opens = moved.is_some_and(|moved| moved.to == CircuitState::Open);
                        opened.fetch_add(u64::from(opens), Ordering::Relaxed);
                    }
                });
            }
        });
        assert!(opened.into_inner() > 10, "the storm never opened the circuit");
        let now = clock.into_inner() + 3_600_000;
        for late in 0..2 {
            breaker.vote(now + late, Health::Up);
        }
        assert_eq!((breaker.state(), breaker.status().probes), (CircuitState::Closed, 0));
    }
}

/// Marsaglia's xorshift.
fn xorshift(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state >> 8
    }
}
