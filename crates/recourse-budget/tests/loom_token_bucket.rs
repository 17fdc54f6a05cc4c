//! The token bucket in every interleaving: `cargo xtask model`.
#![cfg(recourse_loom)]
#![allow(clippy::unwrap_used, reason = "a test may")]

use loom::thread;
use recourse_budget::TokenBucket;
use recourse_core::{AttemptKind, Budget, BudgetRequest, Key, Moment, Now};
use recourse_model::{explore, explore_up_to};
use std::sync::Arc;

static KEY: Key = Key::from_static("svc.op");

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
