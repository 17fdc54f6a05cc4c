//! The retry ratio in every interleaving: `cargo xtask model`.
#![cfg(recourse_loom)]
#![allow(clippy::unwrap_used, reason = "a test may")]

use loom::thread;
use recourse_budget::RetryRatio;
use recourse_core::{AttemptKind, Budget, BudgetRequest, Key, Moment, Now};
use recourse_model::{explore, explore_up_to};
use std::sync::Arc;

static KEY: Key = Key::from_static("svc.op");
const SECOND: u64 = 1_000_000_000;

fn request(attempt: u32, nanos: u64) -> BudgetRequest<'static> {
    BudgetRequest::new(&KEY, attempt, AttemptKind::Retry, Now::at(Moment::from_nanos(nanos)))
}

fn pays(budget: &RetryRatio, nanos: u64) {
    assert!(budget.allow_attempt(&request(0, nanos)).allowed);
}

fn draws(budget: &RetryRatio, nanos: u64) -> u64 {
    u64::from(budget.allow_attempt(&request(1, nanos)).allowed)
}

#[test]
fn a_credit_is_drawn_once() {
    explore(|| {
        let budget = Arc::new(RetryRatio::new(0.5).unwrap());
        (0..2).for_each(|_| pays(&budget, 0));
        let others = [(); 2].map(|()| {
            let budget = budget.clone();
            thread::spawn(move || draws(&budget, 0))
        });
        let granted = others.into_iter().map(|other| other.join().unwrap()).sum::<u64>();
        assert_eq!((granted, budget.available(Moment::ZERO)), (1, 0));
    });
}

#[test]
fn payments_are_never_lost_and_never_overdrawn() {
    explore_up_to(3, || {
        let budget = Arc::new(RetryRatio::new(0.5).unwrap());
        let other = {
            let budget = budget.clone();
            thread::spawn(move || {
                pays(&budget, 0);
                draws(&budget, 0)
            })
        };
        pays(&budget, 0);
        let granted = draws(&budget, 0) + other.join().unwrap();
        assert!(granted <= 1, "{granted}");
        assert_eq!(granted + budget.available(Moment::ZERO), 1);
    });
}

#[test]
fn what_expires_while_it_is_drawn_is_gone_or_drawn() {
    explore_up_to(3, || {
        let budget = Arc::new(RetryRatio::new(1.0).unwrap());
        (0..2).for_each(|second| pays(&budget, second * SECOND));
        let other = {
            let budget = budget.clone();
            thread::spawn(move || {
                let both = request(1, SECOND).with_cost(2);
                2 * u64::from(budget.allow_attempt(&both).allowed)
            })
        };
        let mine = draws(&budget, 11 * SECOND);
        let theirs = other.join().unwrap();
        // One has expired by then, unless it was drawn before. It is not drawn twice.
        assert!(mine + theirs <= 2, "{mine} {theirs}");
        let last = draws(&budget, 11 * SECOND);
        assert_eq!(mine + last, u64::from(theirs == 0), "{mine} {theirs} {last}");
    });
}

#[test]
fn a_credit_that_the_clock_was_set_back_from_is_drawn_once() {
    explore_up_to(2, || {
        let budget = Arc::new(RetryRatio::new(1.0).unwrap());
        pays(&budget, 20 * SECOND);
        let other = {
            let budget = budget.clone();
            thread::spawn(move || draws(&budget, 0))
        };
        let mine = draws(&budget, SECOND);
        assert_eq!(other.join().unwrap() + mine, 1);
        assert_eq!(draws(&budget, SECOND), 0);
    });
}

#[test]
fn a_refund_is_there_for_others_once() {
    explore(|| {
        let budget = Arc::new(RetryRatio::new(1.0).unwrap());
        pays(&budget, 0);
        let other = {
            let budget = budget.clone();
            thread::spawn(move || draws(&budget, 0))
        };
        let mine = draws(&budget, 0);
        if mine == 1 {
            budget.refund(&request(1, 0));
        }
        let theirs = other.join().unwrap();
        assert_eq!(theirs + budget.available(Moment::ZERO), 1);
    });
}
