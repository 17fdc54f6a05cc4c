//! The quota in every interleaving: `cargo xtask model`.
#![cfg(recourse_loom)]
#![allow(clippy::unwrap_used, reason = "a test may")]

use loom::thread;
use recourse_budget::Quota;
use recourse_core::{AttemptEnd, AttemptKind, Budget, BudgetRequest, Ending, Key, Moment, Now, Outcome};
use recourse_model::{explore, explore_up_to};
use std::sync::Arc;

static KEY: Key = Key::from_static("svc.op");

fn takes(quota: &Quota) -> bool {
    let request = BudgetRequest::new(&KEY, 1, AttemptKind::Retry, Now::at(Moment::ZERO));
    quota.allow_attempt(&request).allowed
}

fn succeeds(quota: &Quota) {
    let (success, now) = (Outcome::success(), Now::at(Moment::ZERO));
    quota.on_outcome(&AttemptEnd::new(&KEY, 1, AttemptKind::Retry, Ending::Won, &success, &now));
}

#[test]
fn a_price_is_taken_once() {
    explore(|| {
        let quota = Arc::new(Quota::new(9, 5, 5).unwrap());
        let others = [(); 2].map(|()| {
            let quota = quota.clone();
            thread::spawn(move || takes(&quota))
        });
        let granted = others.into_iter().filter_map(|other| other.join().unwrap().then_some(())).count();
        assert_eq!((granted, quota.tokens()), (1, 4));
    });
}

#[test]
fn what_a_success_gives_back_is_neither_lost_nor_doubled() {
    explore_up_to(3, || {
        let quota = Arc::new(Quota::new(15, 5, 5).unwrap());
        let others = [(); 2].map(|()| {
            let quota = quota.clone();
            thread::spawn(move || {
                assert!(takes(&quota));
                succeeds(&quota);
            })
        });
        assert!(takes(&quota));
        others.into_iter().for_each(|other| other.join().unwrap());
        assert_eq!(quota.tokens(), 10);
    });
}
