//! Nanoseconds a call, by criterion: a group for each case, a line for each contestant.

use criterion::{Criterion, criterion_group, criterion_main};
use recourse_benches::{CONTESTANTS, Case};
use std::time::{Duration, Instant};

fn calls(criterion: &mut Criterion) {
    for case in Case::ALL {
        let mut group = criterion.benchmark_group(case.name());
        for contestant in CONTESTANTS {
            let Some(mut run) = (contestant.prepare)(case) else {
                continue;
            };
            group.bench_function(contestant.name, |bencher| {
                bencher.iter_custom(|calls| {
                    let start = Instant::now();
                    run(calls);
                    start.elapsed()
                });
            });
        }
        group.finish();
    }
}

fn settings() -> Criterion {
    Criterion::default()
        .sample_size(40)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .without_plots()
}

criterion_group! {
    name = benches;
    config = settings();
    targets = calls
}
criterion_main!(benches);
