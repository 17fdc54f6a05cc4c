//! Model check of `LatencyWindow`: every order of every access, on a scale of four buckets.
//! `cargo xtask model` runs it.

#![cfg(recourse_loom)]
#![allow(clippy::unwrap_used, reason = "a test may")]

use loom::sync::Arc;
use loom::thread;
use recourse_core::Moment;
use recourse_hedge::LatencyWindow;
use recourse_model::{explore, explore_up_to};
use std::time::Duration;

/// Two latencies of one bucket, and one of the open bucket.
const SHORT: Duration = Duration::from_nanos(10);
const LONG: Duration = Duration::from_nanos(20);
const LONGEST: Duration = Duration::from_secs(1);

fn epoch(number: u64) -> Moment {
    Moment::from_nanos(number * 30_000_000_000 + 1)
}

fn samples(window: &LatencyWindow, now: Moment) -> u64 {
    window.snapshot(now).map_or(0, |latency| latency.samples)
}

#[test]
fn the_first_samples_of_two_threads_both_count() {
    explore(|| {
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
    assert_eq!(samples(&window, epoch(0)), 1 + threads);
}

#[test]
fn whoever_counts_a_sample_sees_a_longest_that_is_no_shorter() {
    explore(|| read_beside(1));
}

/// Here a thread may find that the other has raised the longest. With three changes of thread at most, out of turn: all
/// orders take minutes, and have been run.
#[test]
fn so_it_is_where_another_thread_has_raised_the_longest() {
    explore_up_to(3, || read_beside(2));
}

#[test]
fn at_a_change_of_epochs_new_samples_count_and_old_ones_do_not() {
    explore_up_to(3, || {
        let window = Arc::new(LatencyWindow::new());
        // In the bucket of the new ones: what is emptied shares its word with what is written.
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
    explore(|| {
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
