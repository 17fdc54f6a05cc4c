//! Parts of recourse without a call round them: a token bucket, a window of latencies.

use crate::contestants::recourse::executor::{KEY, bucket};
use crate::harness::Runner;
use recourse::hedge::LatencyWindow;
use recourse::{AttemptKind, Budget, BudgetRequest, Moment, Now, SystemClock};
use std::hint::black_box;
use std::time::Duration;

/// A retry is asked for, and the clock is read for it.
pub(super) fn token_bucket() -> Runner {
    let bucket = bucket(u32::MAX, 1e9);
    Runner::of(move |times| {
        let (clock, key) = (SystemClock, KEY);
        for _ in 0..times {
            let request = BudgetRequest::new(&key, 1, AttemptKind::Retry, Now::of(&clock));
            assert!(bucket.allow_attempt(&request).allowed, "the bucket never runs dry");
        }
    })
}

pub(super) fn latency_recorded() -> Runner {
    let window = LatencyWindow::new();
    let latencies = latencies();
    let mut next = 0;
    Runner::of(move |times| {
        for _ in 0..times {
            window.record(black_box(latencies[next]), black_box(NOW));
            next = (next + 1) % latencies.len();
        }
    })
}

/// Each as of 10 ms later than the one before, so that none is told what was kept. Back at the first moment nothing is kept
/// any more: then this is the working out alone.
pub(super) fn latency_read() -> Runner {
    latencies_read(10_000_000)
}

/// All as of one moment.
pub(super) fn latency_read_again() -> Runner {
    latencies_read(0)
}

fn latencies_read(nanos_apart: u64) -> Runner {
    let window = LatencyWindow::new();
    for latency in latencies() {
        window.record(latency, NOW);
    }
    let mut nanos = 0;
    Runner::of(move |times| {
        for _ in 0..times {
            let now = Moment::from_nanos(NOW.as_nanos() + nanos);
            assert!(black_box(window.snapshot(black_box(now))).is_some(), "there are samples");
            // All within the epoch of the samples.
            nanos = if nanos < 20_000_000_000 { nanos + nanos_apart } else { 0 };
        }
    })
}

const NOW: Moment = Moment::from_nanos(1_000_000_000);

/// From a tenth of a millisecond to 100, with many short ones and few long ones.
fn latencies() -> [Duration; 1_024] {
    std::array::from_fn(|at| Duration::from_micros(100_000 / (1_024 - at as u64)))
}
