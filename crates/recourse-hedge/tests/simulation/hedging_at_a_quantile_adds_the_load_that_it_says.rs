//! Trigger and window together: hedging at the p95 adds 4.9 to 5.5 % of load, whatever the latencies look like.

use crate::service::{LATENCIES, Latency, Load, exponential, extra_load, log_normal, play};
use recourse_hedge::Quantile;
use std::time::Duration;

/// The extra load in percent, to a tenth, the first minute left out.
fn percent(trigger: Quantile, calls: u32, seed: u64, latency: Latency<'_>) -> f64 {
    let calls = play(&trigger, &Load { calls, seed, ..Load::default() }, latency, |_| {});
    (extra_load(&calls[12_000..]) * 1_000.0).round() / 10.0
}

#[test]
fn at_the_p95_five_percent_asked_is_five_percent_given() {
    for (name, mut latency) in LATENCIES {
        let load = percent(Quantile::P95, 200_000, 1, &mut latency);
        assert!((4.9..=5.5).contains(&load), "{name}: {load}");
    }
}

#[test]
fn on_a_quiet_key_it_adds_no_more_than_that() {
    for every in [Duration::from_millis(200), Duration::from_secs(1)] {
        for (name, mut latency) in LATENCIES {
            for seed in 5..7 {
                let load = Load { calls: 60_000, every, seed, ..Load::default() };
                let calls = play(&Quantile::P95, &load, &mut latency, |_| {});
                let percent = (extra_load(&calls[1_000..]) * 1_000.0).round() / 10.0;
                assert!((3.0..=5.6).contains(&percent), "{name}, a call every {every:?}: {percent}");
            }
        }
    }
}

#[test]
fn the_other_quantiles_add_what_is_above_them() {
    for (trigger, asked) in [(Quantile::P50, 50.0), (Quantile::P90, 10.0), (Quantile::P99, 1.0)] {
        for load in
            [percent(trigger, 80_000, 3, &mut exponential), percent(trigger, 80_000, 3, &mut log_normal)]
        {
            assert!((asked * 0.99..=asked * 1.1).contains(&load), "{}: {load}", trigger.name());
        }
    }
}

#[test]
fn a_steady_service_is_never_hedged() {
    assert_eq!(percent(Quantile::P50, 20_000, 1, &mut |_, _| Duration::from_millis(30)), 0.0);
}

#[test]
fn a_nearly_steady_service_is_hedged_less_rather_than_more() {
    let load = percent(Quantile::P95, 50_000, 1, &mut |random, _| {
        random.log_normal(Duration::from_millis(20), 0.02)
    });
    assert!(load <= 5.0, "{load}");
}
