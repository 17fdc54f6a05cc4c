//! Trigger and window together: hedging at the p95 adds about 5 % of load, whatever the latencies look like.

use recourse_core::{HedgeState, HedgeTrigger, Moment};
use recourse_hedge::{LatencyWindow, Quantile};
use std::time::Duration;

/// Numbers between 0 and 1, the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as f64 + 0.5) / f64::from(1u32 << 31)
    }
}

/// Hedges launched per call, over a quarter of an hour of 200 calls a second.
///
/// One sample a call, from its start to its first result, hedged or not.
fn extra_load(trigger: Quantile, mut latency: impl FnMut(&mut Random) -> Duration) -> f64 {
    const CALLS: u32 = 180_000;
    let (window, mut random, mut hedges) = (LatencyWindow::new(), Random(42), 0);
    for call in 0..CALLS {
        let start = Moment::ZERO + Duration::from_millis(5) * call;
        let (primary, mut launched, mut elapsed) = (latency(&mut random), 1, Duration::ZERO);
        let mut took = primary;
        loop {
            let state = HedgeState::new(start, start + elapsed, launched, 1, Duration::from_millis(200));
            let decision = trigger.should_spawn_hedge(&state.with_latency(window.snapshot(start + elapsed)));
            if decision.spawn {
                took = took.min(elapsed + latency(&mut random));
                hedges += 1;
                launched += 1;
            }
            match decision.next_check_in {
                Some(wait) if elapsed + wait < took => elapsed += wait,
                _ => break,
            }
        }
        window.record(took, start + took);
    }
    f64::from(hedges) / f64::from(CALLS)
}

fn exponential(random: &mut Random) -> Duration {
    Duration::from_millis(20).mul_f64(-random.next().ln())
}

fn mostly_from_a_cache(random: &mut Random) -> Duration {
    let slow = if random.next() < 0.2 { 50.0 } else { 1.0 };
    exponential(random).mul_f64(slow)
}

#[test]
fn hedging_at_the_p95_adds_about_five_percent() {
    for load in [extra_load(Quantile::P95, exponential), extra_load(Quantile::P95, mostly_from_a_cache)] {
        assert!((0.035..0.06).contains(&load), "{load}");
    }
}

#[test]
fn hedging_at_the_p99_adds_about_one_percent() {
    let load = extra_load(Quantile::P99, exponential);
    assert!((0.005..0.015).contains(&load), "{load}");
}

#[test]
fn a_steady_service_is_never_hedged() {
    assert_eq!(extra_load(Quantile::P50, |_| Duration::from_millis(30)), 0.0);
}
