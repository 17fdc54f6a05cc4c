//! In-flight in every interleaving: `cargo xtask model`.
#![cfg(recourse_loom)]
#![allow(clippy::unwrap_used, reason = "a test may")]

use loom::thread;
use recourse_budget::InFlight;
use recourse_core::{AttemptEnd, AttemptKind, Budget, BudgetRequest, Ending, Key, Moment, Now, Outcome};
use recourse_model::{explore, explore_up_to};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

static KEY: Key = Key::from_static("svc.op");

fn starts(budget: &InFlight, attempt: u32) -> bool {
    let request = BudgetRequest::new(&KEY, attempt, AttemptKind::Retry, Now::at(Moment::ZERO));
    budget.allow_attempt(&request).allowed
}

fn ends(budget: &InFlight, attempt: u32) {
    let (outcome, now) = (Outcome::success(), Now::at(Moment::ZERO));
    budget.on_outcome(&AttemptEnd::new(&KEY, attempt, AttemptKind::Retry, Ending::Won, &outcome, &now));
}

#[test]
fn no_two_extras_pass_on_the_same_count() {
    explore(|| {
        let budget = Arc::new(InFlight::new(0.0, 1).unwrap());
        // The scheduler switches at the budget's own words, where an extra is seen to run.
        let running = Arc::new(AtomicU32::new(0));
        let others = [(); 2].map(|()| {
            let (budget, running) = (budget.clone(), running.clone());
            thread::spawn(move || {
                if starts(&budget, 1) {
                    assert_eq!(running.fetch_add(1, SeqCst), 0);
                    thread::yield_now();
                    running.fetch_sub(1, SeqCst);
                    ends(&budget, 1);
                }
            })
        });
        others.into_iter().for_each(|other| other.join().unwrap());
        assert_eq!((budget.first_attempts(), budget.extras()), (0, 0));
    });
}

#[test]
fn a_share_holds_while_first_attempts_come_and_go() {
    explore_up_to(3, || {
        let budget = Arc::new(InFlight::new(0.5, 0).unwrap());
        let first = {
            let budget = budget.clone();
            thread::spawn(move || {
                assert!(starts(&budget, 0));
                ends(&budget, 0);
            })
        };
        let extra = {
            let budget = budget.clone();
            thread::spawn(move || {
                let started = starts(&budget, 1);
                if started {
                    ends(&budget, 1);
                }
                started
            })
        };
        let mine = starts(&budget, 1);
        // One first attempt at most, so one extra beside it at most; both only if one had ended.
        if mine {
            assert!(budget.extras() >= 1);
            ends(&budget, 1);
        }
        first.join().unwrap();
        _ = extra.join().unwrap();
        assert_eq!((budget.first_attempts(), budget.extras()), (0, 0));
    });
}
