//! The adaptive throttle's window in every interleaving: `cargo xtask model`.
#![cfg(recourse_loom)]
#![allow(clippy::unwrap_used, reason = "a test may")]

use loom::thread;
use recourse_budget::AdaptiveThrottle;
use recourse_core::{AttemptKind, Budget, BudgetRequest, Key, Moment, Now};
use recourse_model::explore_up_to;
use std::sync::Arc;

static KEY: Key = Key::from_static("svc.op");
const SECOND: u64 = 1_000_000_000;

fn asks(throttle: &AdaptiveThrottle, seconds: u64) {
    let now = Now::at(Moment::from_nanos(seconds * SECOND));
    drop(throttle.allow_attempt(&BudgetRequest::new(&KEY, 0, AttemptKind::Retry, now)));
}

/// Attempts that were counted, where none was accepted: so many in one more are denied.
fn counted(throttle: &AdaptiveThrottle, seconds: u64) -> u64 {
    let probability = throttle.denial_probability(Moment::from_nanos(seconds * SECOND));
    (probability / (1.0 - probability)).round() as u64
}

#[test]
fn the_window_goes_on_once_and_never_back() {
    explore_up_to(2, || {
        let throttle = Arc::new(AdaptiveThrottle::new().with_seed(1));
        let other = {
            let throttle = throttle.clone();
            thread::spawn(move || asks(&throttle, 12))
        };
        asks(&throttle, 25);
        other.join().unwrap();
        // Its own, and the other's unless the step was cleared meanwhile.
        let counted = counted(&throttle, 25);
        assert!((1..=2).contains(&counted), "{counted}");
    });
}

#[test]
fn a_clock_that_was_set_back_is_so_once() {
    explore_up_to(2, || {
        let throttle = Arc::new(AdaptiveThrottle::new().with_seed(1));
        asks(&throttle, 1_000);
        let other = {
            let throttle = throttle.clone();
            thread::spawn(move || asks(&throttle, 0))
        };
        asks(&throttle, 0);
        other.join().unwrap();
        assert_eq!(counted(&throttle, 0), 3);
        // They slide out as time goes on, no sooner and no later.
        assert_eq!((counted(&throttle, 119), counted(&throttle, 120)), (3, 0));
    });
}
