//! Several threads that make calls at the same time.

use crate::harness::{Shared, have_company};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// The cases that threads share a policy in.
pub const CASES: [&str; 5] = ["plain", "breaker", "window", "budget", "three-fail-budget"];

/// How many threads share it.
pub const THREADS: [usize; 3] = [1, 2, 4];

/// How long a thread makes calls between two looks at the clock, about.
const LOOK_EVERY: Duration = Duration::from_micros(200);

/// What was seen while several threads made calls.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// What a call took in its thread, the threads' mean.
    pub nanos_per_call: f64,
    /// Calls a microsecond, of all threads together.
    pub calls_per_micro: f64,
}

/// Lets so many threads make calls for about so long. They start together, and each stops by itself.
pub fn together(shared: &mut Shared, threads: usize, long: Duration) -> Pace {
    let chunk = calls_in(shared, LOOK_EVERY);
    let start = Barrier::new(threads);
    let paces: Vec<f64> = thread::scope(|scope| {
        let all: Vec<_> = (0..threads)
            .map(|_| {
                let mut runner = shared();
                let start = &start;
                scope.spawn(move || {
                    have_company();
                    // What a thread does once, it does before the clock runs.
                    runner.run(chunk);
                    start.wait();
                    let began = Instant::now();
                    let mut calls = 0;
                    loop {
                        runner.run(chunk);
                        calls += chunk;
                        let took = began.elapsed();
                        if took >= long {
                            return nanos(took, calls);
                        }
                    }
                })
            })
            .collect();
        all.into_iter().map(|thread| thread.join().expect("calls of a case end as it says")).collect()
    });
    #[allow(clippy::cast_precision_loss, reason = "a handful of threads")]
    let nanos_per_call = paces.iter().sum::<f64>() / paces.len() as f64;
    Pace { nanos_per_call, calls_per_micro: paces.iter().map(|nanos| 1_000.0 / nanos).sum() }
}

/// How many calls one thread alone makes in about so long.
fn calls_in(shared: &mut Shared, long: Duration) -> u64 {
    const TRIED: u64 = 1_000;
    let mut runner = shared();
    let began = Instant::now();
    runner.run(TRIED);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and small")]
    let calls = (1e9 * long.as_secs_f64() / nanos(began.elapsed(), TRIED)) as u64;
    calls.max(1)
}

#[allow(clippy::cast_precision_loss, reason = "a measured time has fewer digits")]
fn nanos(took: Duration, calls: u64) -> f64 {
    1e9 * took.as_secs_f64() / calls as f64
}
