//! The token bucket in every interleaving: `cargo xtask model`.
#![cfg(recourse_loom)]
#![allow(clippy::unwrap_used, reason = "a test may")]

use loom::thread;
use recourse_budget::TokenBucket;
use recourse_core::{AttemptKind, Budget, BudgetRequest, Key, Moment, Now};
use recourse_model::{explore, explore_up_to};
use std::sync::Arc;

static KEY: Key = Key::from_static("svc.op");
const SECOND: u64 = 1_000_000_000;

fn retry(nanos: u64) -> BudgetRequest<'static> {
    BudgetRequest::new(&KEY, 1, AttemptKind::Retry, Now::at(Moment::from_nanos(nanos)))
}

fn takes(bucket: &TokenBucket, nanos: u64) -> u64 {
    u64::from(bucket.allow_attempt(&retry(nanos)).allowed)
}

#[test]
fn each_token_is_granted_once() {
    explore_up_to(3, || {
        let bucket = Arc::new(TokenBucket::new(2, 0.0).unwrap());
        let others = [(); 2].map(|()| {
            let bucket = bucket.clone();
            thread::spawn(move || takes(&bucket, 0))
        });
        let mine = takes(&bucket, 0);
        let granted = others.into_iter().map(|other| other.join().unwrap()).sum::<u64>() + mine;
        assert_eq!((granted, bucket.available(Moment::ZERO)), (2, 0));
    });
}

#[test]
fn clocks_out_of_step_grant_what_flowed_in_and_lose_nothing() {
    explore_up_to(3, || {
        // A token a nanosecond, room for four, none left at 0.
        let bucket = Arc::new(TokenBucket::new(4, 1e9).unwrap());
        assert!(bucket.allow_attempt(&retry(0).with_cost(4)).allowed);
        let others = [1, 2].map(|nanos| {
            let bucket = bucket.clone();
            thread::spawn(move || takes(&bucket, nanos) + takes(&bucket, nanos))
        });
        let granted = others.into_iter().map(|other| other.join().unwrap()).sum::<u64>();
        assert!(granted <= 2, "{granted}");
        assert_eq!(granted + bucket.available(Moment::from_nanos(2)), 2);
    });
}

#[test]
fn a_refund_is_there_for_others_once() {
    explore(|| {
        let bucket = Arc::new(TokenBucket::new(1, 0.0).unwrap());
        let other = {
            let bucket = bucket.clone();
            thread::spawn(move || takes(&bucket, 0))
        };
        let mine = takes(&bucket, 0);
        if mine == 1 {
            bucket.refund(&retry(0));
        }
        let theirs = other.join().unwrap();
        assert!(mine + theirs >= 1);
        assert_eq!(theirs + bucket.available(Moment::ZERO), 1);
    });
}

#[test]
fn a_clock_that_was_set_back_grants_what_there_is_and_what_comes() {
    explore_up_to(3, || {
        // A token a second, room for two, one left at 100 s.
        let bucket = Arc::new(TokenBucket::new(2, 1.0).unwrap());
        assert_eq!(takes(&bucket, 100 * SECOND), 1);
        let other = {
            let bucket = bucket.clone();
            thread::spawn(move || takes(&bucket, 0) + takes(&bucket, 0))
        };
        let mine = takes(&bucket, SECOND) + takes(&bucket, SECOND);
        let granted = mine + other.join().unwrap();
        let left = bucket.available(Moment::from_nanos(SECOND));
        assert!(granted + left <= 2, "{granted} {left}");
        // Where they meet, what was left may be lost. What comes is not.
        assert_eq!(takes(&bucket, 3 * SECOND) + takes(&bucket, 3 * SECOND), 2);
    });
}

#[test]
fn a_thread_that_still_has_the_old_moment_adds_no_more_than_that_step_ahead() {
    explore_up_to(3, || {
        let bucket = Arc::new(TokenBucket::new(2, 1.0).unwrap());
        assert_eq!(takes(&bucket, 100 * SECOND) + takes(&bucket, 100 * SECOND), 2);
        let late = {
            let bucket = bucket.clone();
            thread::spawn(move || takes(&bucket, 100 * SECOND) + takes(&bucket, 100 * SECOND))
        };
        let mine = takes(&bucket, 0);
        // The late one comes before, and finds nothing; or after, and the clock went 100 s ahead: a full bucket.
        let theirs = late.join().unwrap();
        assert!(mine + theirs <= 2, "{mine} {theirs}");
        // And then it was set back once more, if it was: not stuck.
        _ = takes(&bucket, 0);
        assert_eq!(takes(&bucket, SECOND) + takes(&bucket, 2 * SECOND), 2);
    });
}

#[test]
fn a_refund_while_the_clock_is_set_back_grants_nothing_twice() {
    explore_up_to(3, || {
        let bucket = Arc::new(TokenBucket::new(2, 1.0).unwrap());
        assert_eq!(takes(&bucket, 100 * SECOND) + takes(&bucket, 100 * SECOND), 2);
        let other = {
            let bucket = bucket.clone();
            thread::spawn(move || bucket.refund(&retry(0)))
        };
        let mine = takes(&bucket, 0) + takes(&bucket, 0);
        other.join().unwrap();
        let left = bucket.available(Moment::ZERO);
        assert!(mine + left <= 1, "{mine} {left}");
        assert_eq!(takes(&bucket, SECOND), 1);
    });
}

#[test]
fn a_clock_that_was_set_back_fills_nothing() {
    explore_up_to(3, || {
        let bucket = Arc::new(TokenBucket::new(2, 1.0).unwrap());
        assert!(bucket.allow_attempt(&retry(100 * SECOND).with_cost(2)).allowed);
        let other = {
            let bucket = bucket.clone();
            thread::spawn(move || takes(&bucket, 0))
        };
        let mine = takes(&bucket, 0);
        assert_eq!((mine + other.join().unwrap(), bucket.available(Moment::ZERO)), (0, 0));
        assert_eq!(takes(&bucket, SECOND) + takes(&bucket, SECOND), 1);
    });
}

#[test]
fn a_reading_is_a_step_back_or_ahead_once() {
    explore_up_to(3, || {
        let bucket = Arc::new(TokenBucket::new(2, 1.0).unwrap());
        assert_eq!(takes(&bucket, 100 * SECOND), 1);
        let late = {
            let bucket = bucket.clone();
            thread::spawn(move || {
                let both = || bucket.allow_attempt(&retry(100 * SECOND).with_cost(2)).allowed;
                2 * (u64::from(both()) + u64::from(both()))
            })
        };
        let mine = takes(&bucket, 0);
        // What was left, and what fills the bucket as the clock goes back and ahead once.
        let theirs = late.join().unwrap();
        assert!(mine + theirs <= 3, "{mine} {theirs}");
    });
}
