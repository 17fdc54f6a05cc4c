//! Model check of `ExtraLoad`: in every order of every access, each hedge is paid for, and each payment counts.
//! `cargo xtask model` runs it.

#![cfg(recourse_loom)]
#![allow(clippy::unwrap_used, reason = "a test may")]

use loom::sync::Arc;
use loom::thread;
use recourse_core::{HedgeState, HedgeTrigger, Moment};
use recourse_hedge::ExtraLoad;
use recourse_model::{explore, explore_up_to};
use std::time::Duration;

fn ask(trigger: &ExtraLoad, key: u64, elapsed: Duration) -> u32 {
    let delay = Duration::from_millis(20);
    let state = HedgeState::new(Moment::ZERO, Moment::ZERO + elapsed, 1, 1, delay).with_key_fingerprint(key);
    u32::from(trigger.should_spawn_hedge(&state).spawn)
}

/// A group of the key begins to wait: it pays for one hedge.
fn begins(trigger: &ExtraLoad, key: u64) {
    assert_eq!(ask(trigger, key, Duration::ZERO), 0);
}

/// A group of the key has waited for longer than any delay.
fn is_due(trigger: &ExtraLoad, key: u64) -> u32 {
    ask(trigger, key, Duration::from_secs(100))
}

fn trigger() -> Arc<ExtraLoad> {
    Arc::new(ExtraLoad::percent(100.0).unwrap())
}

#[test]
fn one_payment_is_one_hedge() {
    explore(|| {
        let trigger = trigger();
        begins(&trigger, 7);
        let other = Arc::clone(&trigger);
        let thread = thread::spawn(move || is_due(&other, 7));
        let hedges = is_due(&trigger, 7) + thread.join().unwrap();
        assert_eq!(hedges, 1);
    });
}

#[test]
fn no_payment_is_lost() {
    explore_up_to(3, || {
        let trigger = trigger();
        let other = Arc::clone(&trigger);
        let thread = thread::spawn(move || {
            begins(&other, 7);
            is_due(&other, 7)
        });
        begins(&trigger, 7);
        let hedges = is_due(&trigger, 7) + thread.join().unwrap();
        assert_eq!((hedges, is_due(&trigger, 7)), (2, 0));
    });
}

#[test]
fn keys_that_are_seen_at_the_same_time_keep_accounts_of_their_own() {
    explore(|| {
        let trigger = trigger();
        let other = Arc::clone(&trigger);
        // Two keys that would have the same place.
        let thread = thread::spawn(move || begins(&other, 3));
        begins(&trigger, 2);
        begins(&trigger, 2);
        thread.join().unwrap();
        assert_eq!([3, 3, 2, 2, 2].map(|key| is_due(&trigger, key)), [1, 0, 1, 1, 0]);
    });
}

#[test]
fn keys_that_find_no_room_share_an_account_and_its_bound() {
    explore(|| {
        let trigger = trigger();
        begins(&trigger, 1);
        begins(&trigger, 2);
        let other = Arc::clone(&trigger);
        let thread = thread::spawn(move || begins(&other, 3));
        let early = is_due(&trigger, 4);
        thread.join().unwrap();
        let hedges = early + is_due(&trigger, 3) + is_due(&trigger, 4);
        assert_eq!(hedges, 1);
    });
}
