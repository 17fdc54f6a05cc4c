//! Nanoseconds a call, by criterion, in rounds over all rows and columns.
//!
//! `CRITERION_HOME/<case>/<column>/<round>/new/estimates.json` has what a round found.

use criterion::{BenchmarkId, Criterion, SamplingMode};
use recourse_benches::{CASES, COLUMNS, Selection};
use std::time::{Duration, Instant};

/// Rounds, if the command line says no other number.
const ROUNDS: u32 = 7;

fn main() {
    let selection = Selection::of_command_line();
    let mut criterion = settings();
    for round in 1..=selection.rounds.unwrap_or(ROUNDS) {
        for case in CASES.into_iter().filter(|case| selection.has_case(*case)) {
            let mut group = criterion.benchmark_group(case.name);
            // The same number of calls in each sample, so that a sample is an average of equal weight.
            group.sampling_mode(SamplingMode::Flat);
            for column in COLUMNS.iter().filter(|column| selection.has_column(column.name)) {
                // Anew in each round: where a policy happens to lie in memory is part of the spread.
                let Some(mut runner) = column.prepare(case) else {
                    continue;
                };
                group.bench_function(BenchmarkId::new(column.name, round), |bencher| {
                    bencher.iter_custom(|calls| {
                        let start = Instant::now();
                        runner.run(calls);
                        start.elapsed()
                    });
                });
            }
            group.finish();
        }
    }
}

/// Short, since there are rounds; the spread of interest is that between them.
fn settings() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .nresamples(1_000)
        .warm_up_time(Duration::from_millis(8))
        .measurement_time(Duration::from_millis(25))
        .without_plots()
}
