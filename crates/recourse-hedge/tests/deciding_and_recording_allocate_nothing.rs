//! No trigger allocates to decide, and no window to record or to be read.

use allocation_counter::measure;
use recourse_core::{HedgeState, HedgeTrigger, Moment};
use recourse_hedge::{ExtraLoad, FixedDelay, LatencyWindow, Observing, OnFailure, Quantile, WithinDeadline};
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);

#[test]
fn deciding_and_recording_allocate_nothing() {
    let window = LatencyWindow::new();
    let extra = OnFailure::new(ExtraLoad::percent(2.0).unwrap());
    let quantile = Observing::new(WithinDeadline::new(OnFailure::new(Quantile::P95)));
    let triggers: [&dyn HedgeTrigger; 3] = [&FixedDelay, &extra, &quantile];
    let allocated = measure(|| {
        for call in 0..3_000u32 {
            let now = Moment::ZERO + MS * 30 * call;
            window.record(MS * (call % 97), now);
            for elapsed in [0, 40, 70_000] {
                let state = HedgeState::new(now, now + MS * elapsed, 1, 2, MS * 200)
                    .with_latency(window.snapshot(now))
                    .with_failed(call % 2)
                    .with_after_failure(call % 2 == 1)
                    .with_time_left(Some(MS * 500))
                    .with_key_fingerprint(call.into());
                for trigger in triggers {
                    trigger.should_spawn_hedge(&state);
                }
            }
        }
    });
    assert_eq!((allocated.count_total, quantile.would_launch() > 0), (0, true));
}
