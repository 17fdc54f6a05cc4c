//! Model check of `LatencyWindow`: the orders of every access with two or three changes of thread out of turn, on a scale
//! of four buckets. `cargo xtask model` runs it.

#![cfg(recourse_loom)]
#![allow(clippy::unwrap_used, reason = "a test may")]

use loom::sync::Arc;
use loom::thread;
use recourse_core::Moment;
use recourse_hedge::LatencyWindow;
use recourse_model::explore_up_to;
use std::time::Duration;

/// Two latencies of one bucket, and one of the open bucket.
const SHORT: Duration = Duration::from_nanos(10);
const LONG: Duration = Duration::from_nanos(20);
const LONGEST: Duration = Duration::from_secs(1);

fn epoch(number: u64) -> Moment {
    Moment::from_nanos(number * 30_000_000_000 + 1)
}

/// When what was told at an epoch's beginning is too old.
fn later_in(number: u64) -> Moment {
    epoch(number) + Duration::from_millis(10)
}

fn samples(window: &LatencyWindow, now: Moment) -> u64 {
    window.snapshot(now).map_or(0, |latency| latency.samples)
}

#[test]
fn the_first_samples_of_two_threads_both_count() {
    explore_up_to(3, || {
        let window = Arc::new(LatencyWindow::new());
        let other = Arc::clone(&window);
        let thread = thread::spawn(move || other.record(LONG, epoch(0)));
        window.record(LONGEST, epoch(0));
        thread.join().unwrap();
        let latency = window.snapshot(epoch(0)).unwrap();
        assert_eq!((latency.samples, latency.p99), (2, LONGEST));
    });
}

/// A reader beside so many threads that record `LONG`, after one `SHORT`.
fn read_beside(threads: u64) {
    let window = Arc::new(LatencyWindow::new());
    window.record(SHORT, epoch(0));
    let recording: Vec<_> = (0..threads)
        .map(|_| {
            let window = Arc::clone(&window);
            thread::spawn(move || window.record(LONG, epoch(0)))
        })
        .collect();
    let latency = window.snapshot(epoch(0)).unwrap();
    assert!((1..=1 + threads).contains(&latency.samples));
    assert!(latency.samples == 1 || latency.p99 == LONG, "{latency:?}");
    assert!(latency.p50 <= latency.p90 && latency.p90 <= latency.p95 && latency.p95 <= latency.p99);
    recording.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(samples(&window, later_in(0)), 1 + threads);
}

#[test]
fn whoever_counts_a_sample_sees_a_longest_that_is_no_shorter() {
    explore_up_to(3, || read_beside(1));
}

/// Here a thread may find that the other has raised the longest.
#[test]
fn so_it_is_where_another_thread_has_raised_the_longest() {
    explore_up_to(3, || read_beside(2));
}

#[test]
fn at_a_change_of_epochs_new_samples_count_and_old_ones_do_not() {
    explore_up_to(3, || {
        let window = Arc::new(LatencyWindow::new());
        // In the bucket of the new ones.
        window.record(LONG, epoch(0));
        window.record(LONGEST, epoch(0));
        window.record(SHORT, epoch(1));
        let other = Arc::clone(&window);
        // Either thread may be the one that empties the half of epoch 0.
        let thread = thread::spawn(move || other.record(LONG, epoch(2)));
        window.record(LONG, epoch(2));
        thread.join().unwrap();
        let latency = window.snapshot(epoch(2)).unwrap();
        assert_eq!((latency.samples, latency.p99), (3, LONG));
        assert!((1..=2).contains(&samples(&window, epoch(3))), "one may count with the epoch before");
        assert_eq!(samples(&window, epoch(4)), 0);
    });
}

#[test]
fn a_reader_at_a_change_of_epochs_sees_nothing_that_is_too_old() {
    explore_up_to(3, || {
        let window = Arc::new(LatencyWindow::new());
        window.record(LONGEST, epoch(0));
        window.record(SHORT, epoch(1));
        let other = Arc::clone(&window);
        let thread = thread::spawn(move || other.record(LONG, epoch(2)));
        let latency = window.snapshot(epoch(2)).unwrap();
        assert!((1..=2).contains(&latency.samples), "{latency:?}");
        assert!(latency.p99 <= LONG, "{latency:?}");
        thread.join().unwrap();
        assert_eq!(samples(&window, epoch(2)), 2);
    });
}

/// Whether a thread counts in a stripe depends on what it saw: here, while another finds that they have met. The one stripe
/// is there from the start, and none has counted in it; the standard library's `OnceLock`, which hands it out elsewhere, is
/// no part of the model.
#[test]
fn no_sample_is_lost_while_threads_get_stripes() {
    explore_up_to(2, || {
        let window = Arc::new(LatencyWindow::new());
        window.record(SHORT, epoch(0));
        let (meeting, recording) = (Arc::clone(&window), Arc::clone(&window));
        let meeting = thread::spawn(move || {
            meeting.threads_meet();
            meeting.record(LONG, epoch(0));
        });
        let recording = thread::spawn(move || recording.record(LONG, epoch(0)));
        let latency = window.snapshot(epoch(0)).unwrap();
        assert!((1..=3).contains(&latency.samples));
        assert!(latency.samples == 1 || latency.p99 == LONG, "{latency:?}");
        meeting.join().unwrap();
        recording.join().unwrap();
        assert_eq!(samples(&window, later_in(0)), 3);
    });
}

#[test]
fn a_sample_in_a_stripe_is_seen_by_who_comes_after_it() {
    explore_up_to(2, || {
        let window = Arc::new(LatencyWindow::new());
        window.record(SHORT, epoch(0));
        let other = Arc::clone(&window);
        let thread = thread::spawn(move || {
            other.threads_meet();
            other.record(LONGEST, epoch(0));
        });
        window.record(LONG, epoch(0));
        assert!((2..=3).contains(&samples(&window, epoch(0))));
        thread.join().unwrap();
        let latency = window.snapshot(later_in(0)).unwrap();
        assert_eq!((latency.samples, latency.p99), (3, LONGEST));
    });
}

#[test]
fn at_a_change_of_epochs_stripes_are_emptied_too() {
    explore_up_to(2, || {
        let window = Arc::new(LatencyWindow::new());
        window.threads_meet();
        window.record(LONG, epoch(0));
        window.record(LONGEST, epoch(0));
        window.record(SHORT, epoch(1));
        let other = Arc::clone(&window);
        let thread = thread::spawn(move || other.record(LONG, epoch(2)));
        window.record(LONG, epoch(2));
        thread.join().unwrap();
        let latency = window.snapshot(epoch(2)).unwrap();
        assert_eq!((latency.samples, latency.p99), (3, LONG));
        assert_eq!(samples(&window, epoch(4)), 0);
    });
}

#[test]
fn what_is_kept_is_read_whole_or_not_at_all() {
    explore_up_to(2, || {
        let window = Arc::new(LatencyWindow::new());
        (0..3).for_each(|_| window.record(SHORT, epoch(0)));
        assert_eq!(samples(&window, epoch(0)), 3);
        let other = Arc::clone(&window);
        let thread = thread::spawn(move || {
            other.record(LONGEST, later_in(0));
            samples(&other, later_in(0))
        });
        // Good in what is kept until the other has replaced it.
        let just_before = Moment::from_nanos(later_in(0).as_nanos() - 1);
        let latency = window.snapshot(just_before).unwrap();
        assert!((3..=4).contains(&latency.samples), "{latency:?}");
        if latency.samples == 3 {
            assert!(latency.p99 < Duration::from_millis(1), "{latency:?}");
        } else {
            assert!(latency.p50 < latency.p99 && latency.p99 == LONGEST, "{latency:?}");
        }
        thread.join().unwrap();
        let latency = window.snapshot(later_in(0) + Duration::from_millis(10)).unwrap();
        assert_eq!((latency.samples, latency.p99), (4, LONGEST));
    });
}

#[test]
fn what_is_kept_is_not_told_of_another_turn() {
    explore_up_to(2, || {
        let window = Arc::new(LatencyWindow::new());
        (0..3).for_each(|_| window.record(SHORT, epoch(0)));
        let other = Arc::clone(&window);
        // It may work out what was before the turn and keep it when the window has turned.
        let thread = thread::spawn(move || other.snapshot(epoch(0)));
        // A clock that goes to and fro: the third turn is of the first one's epoch.
        window.record(SHORT, epoch(7));
        window.record(SHORT, epoch(0));
        assert!(samples(&window, epoch(0)) <= 2);
        thread.join().unwrap();
        assert!(samples(&window, epoch(0)) <= 2);
    });
}
