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

pub(super) fn latency_read() -> Runner {
    let window = LatencyWindow::new();
    for latency in latencies() {
        window.record(latency, NOW);
    }
    Runner::of(move |times| {
        for _ in 0..times {
            assert!(black_box(window.snapshot(black_box(NOW))).is_some(), "there are samples");
        }
    })
}

const NOW: Moment = Moment::from_nanos(1_000_000_000);

/// From a tenth of a millisecond to 100, with many short ones and few long ones.
fn latencies() -> [Duration; 1_024] {
    std::array::from_fn(|at| Duration::from_micros(100_000 / (1_024 - at as u64)))
}
