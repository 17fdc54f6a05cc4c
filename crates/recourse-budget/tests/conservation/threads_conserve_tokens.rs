//! One budget, eight threads: no token is granted twice, and none is lost.

use crate::attempts::{Attempt, How, adaptive, one_of_each};
use recourse_budget::{AllOf, AnyOf, InFlight, Observing, Quota, RetryRatio, TokenBucket};
use recourse_core::{Budget, Moment};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier};

const THREADS: u64 = 8;
const TURNS: u64 = 5_000;

/// Runs `turn` on every thread, and adds up what it returns.
fn together(turn: impl Fn(u64) -> u64 + Sync) -> u64 {
    let start = Barrier::new(THREADS as usize);
    std::thread::scope(|scope| {
        let threads = Vec::from_iter((0..THREADS).map(|_| {
            scope.spawn(|| {
                start.wait();
                (0..TURNS).map(&turn).sum::<u64>()
            })
        }));
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

fn asks(budget: &dyn Budget, attempt: Attempt, nanos: u64) -> Option<recourse_core::Decision> {
    let decision = budget.allow_attempt(&attempt.request(nanos));
    decision.allowed.then_some(decision)
}

#[test]
fn a_bucket_with_refunds() {
    let bucket = TokenBucket::new(10_000, 0.0).unwrap();
    let kept = together(|turn| match asks(&bucket, Attempt::RETRY, 0) {
        Some(decision) if turn % 3 == 0 => {
            Attempt::RETRY.refund(&bucket, decision);
            0
        }
        granted => u64::from(granted.is_some()),
    });
    assert_eq!(kept + bucket.available(Moment::ZERO), 10_000);
}

#[test]
fn a_ratio_never_gives_more_than_was_paid_in_and_loses_nothing() {
    for thousandths in [1u32, 100, 600, 3_333] {
        let ratio = RetryRatio::new(f64::from(thousandths) / 1e3).unwrap();
        let granted = together(|turn| {
            assert!(asks(&ratio, Attempt::FIRST, turn).is_some());
            let granted = (0..4).filter_map(|_| asks(&ratio, Attempt::HEDGE, turn));
            granted
                .map(|decision| {
                    if turn % 5 == 0 {
                        Attempt::HEDGE.refund(&ratio, decision);
                        0
                    } else {
                        1
                    }
                })
                .sum()
        });
        let paid_in = THREADS * TURNS * u64::from(thousandths) / 1_000;
        assert_eq!(granted + ratio.available(Moment::from_nanos(TURNS)), paid_in, "{thousandths}");
    }
}

#[test]
fn a_ratio_whose_payments_expire_while_threads_draw() {
    let ratio = RetryRatio::new(0.5).unwrap();
    // A turn is 10 ms: five ttls in all.
    let granted = together(|turn| {
        asks(&ratio, Attempt::FIRST, turn * 10_000_000);
        u64::from(turn > 2_500 && asks(&ratio, Attempt::RETRY, turn * 10_000_000).is_some())
    });
    assert!(granted <= THREADS * TURNS / 2);
    assert!(granted >= THREADS * TURNS / 2 / 3, "{granted}");
}

#[test]
fn a_quota() {
    let quota = Quota::new(10_000, 3, 5).unwrap();
    let spent = together(|turn| match asks(&quota, Attempt::RETRY, 0) {
        None => 0,
        Some(decision) if turn % 3 == 0 => {
            Attempt::RETRY.refund(&quota, decision);
            0
        }
        Some(decision) => {
            let how = if turn % 2 == 0 { How::Success } else { How::Failure };
            Attempt::RETRY.end(&quota, decision, how);
            if how == How::Success { 0 } else { 3 }
        }
    });
    assert_eq!(spent + u64::from(quota.tokens()), 10_000);
}

#[test]
fn in_flight_is_never_exceeded_and_ends_at_nothing() {
    let budget = InFlight::new(0.0, 3).unwrap();
    let (running, most) = (AtomicU32::new(0), AtomicU32::new(0));
    let granted = together(|turn| {
        let first = asks(&budget, Attempt::FIRST, 0).unwrap();
        let extra = asks(&budget, Attempt::HEDGE, 0);
        let granted = u64::from(extra.is_some());
        if let Some(decision) = extra {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            if turn % 4 == 0 {
                std::thread::yield_now();
            }
            running.fetch_sub(1, Ordering::SeqCst);
            Attempt::HEDGE.end(&budget, decision, How::Drop);
        }
        Attempt::FIRST.end(&budget, first, How::Success);
        granted
    });
    assert!(granted > 0 && most.into_inner() <= 3);
    assert_eq!((budget.first_attempts(), budget.extras()), (0, 0));
}

#[test]
fn budgets_within_budgets_end_as_they_began() {
    let in_flight = Arc::new(InFlight::new(0.0, 2).unwrap());
    let other = Arc::new(InFlight::new(0.0, 1).unwrap());
    let bucket = Arc::new(TokenBucket::new(20_000, 0.0).unwrap());
    let any = AnyOf::new([in_flight.clone() as Arc<dyn Budget>, other.clone()]).unwrap();
    let observed = Arc::new(InFlight::new(0.0, 1).unwrap());
    let observing: Arc<dyn Budget> = Arc::new(Observing::new(observed.clone()));
    let budget = AllOf::new([Arc::new(any) as Arc<dyn Budget>, observing, bucket.clone()]).unwrap();
    let kept = together(|turn| {
        let Some(decision) = asks(&budget, Attempt::RETRY, 0) else { return 0 };
        if turn % 4 == 0 {
            std::thread::yield_now();
        }
        if turn % 2 == 0 {
            Attempt::RETRY.refund(&budget, decision);
            return 0;
        }
        Attempt::RETRY.end(&budget, decision, How::Failure);
        1
    });
    assert_eq!(kept + bucket.available(Moment::ZERO), 20_000);
    assert_eq!((in_flight.extras(), other.extras(), observed.extras()), (0, 0, 0));
}

#[test]
fn all_budgets_bear_threads() {
    for budget in one_of_each().into_iter().chain([adaptive()]) {
        together(|turn| {
            let attempt = [Attempt::FIRST, Attempt::RETRY, Attempt::HEDGE][turn as usize % 3];
            if let Some(decision) = asks(&budget, attempt, turn * 1_000_000) {
                attempt.end(&budget, decision, if turn % 2 == 0 { How::Success } else { How::Timeout });
            }
            0
        });
    }
}
