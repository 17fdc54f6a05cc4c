//! An option outside its limits is an error that names it, its value and what is allowed.

use recourse_circuit::{Breakers, ConsecutiveFailures, FailureRatio, Recovery, SettingsError, SlowCalls};
use recourse_core::BreakerSettings;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn refused(kind: Result<Breakers, SettingsError>) -> String {
    kind.expect_err("out of range").to_string()
}

#[test]
fn settings_that_no_policy_can_hold() {
    let refused = |threshold, cooldown| {
        let kind = ConsecutiveFailures::new().build().unwrap();
        kind.one(BreakerSettings::new(threshold, cooldown)).map(|_| ()).unwrap_err().to_string()
    };
    assert_eq!(refused(0, SECOND), "circuit.threshold = 0 is not allowed: at least 1");
    assert_eq!(refused(1, Duration::ZERO), "circuit.cooldown = 0ns is not allowed: at least 100ms");
}

#[test]
fn parts_and_ratios() {
    let ratio = |ratio| refused(FailureRatio::over_attempts(10).ratio(ratio).build());
    assert_eq!(ratio(0.0), "ratio = 0 is not allowed: 0.000001 to 1");
    assert_eq!(ratio(1.5), "ratio = 1.5 is not allowed: 0.000001 to 1");
    assert_eq!(ratio(f64::NAN), "ratio = NaN is not allowed: 0.000001 to 1");
    let slow = SlowCalls::longer_than(SECOND).slow_ratio(-0.5).build();
    assert_eq!(refused(slow), "slow_ratio = -0.5 is not allowed: 0.000001 to 1");
    let weight = refused(ConsecutiveFailures::new().throttled_weight(2.0).build());
    assert_eq!(weight, "throttled_weight = 2 is not allowed: 0 to 1");
    let weight = refused(FailureRatio::over_attempts(10).throttled_weight(-1.0).build());
    assert_eq!(weight, "throttled_weight = -1 is not allowed: 0 to 1");
}

#[test]
fn windows() {
    let attempts = |attempts| refused(FailureRatio::over_attempts(attempts).build());
    assert_eq!(attempts(0), "over_attempts = 0 is not allowed: 1 to 10000");
    assert_eq!(attempts(10_001), "over_attempts = 10001 is not allowed: 1 to 10000");
    let time = |window| refused(FailureRatio::over_time(window).build());
    assert_eq!(time(SECOND / 2), "over_time = 500ms is not allowed: 1s to 3600s");
    assert_eq!(time(SECOND * 3_601), "over_time = 3601s is not allowed: 1s to 3600s");
    let minimum = refused(FailureRatio::over_time(SECOND).minimum_attempts(0).build());
    assert_eq!(minimum, "minimum_attempts = 0 is not allowed: 1 to 4294967295");
    let limit = refused(SlowCalls::longer_than(Duration::from_micros(999)).build());
    assert_eq!(limit, "longer_than = 999µs is not allowed: at least 1ms");
}

#[test]
fn recoveries() {
    let with = |recovery| refused(ConsecutiveFailures::new().recovery(recovery).build());
    let fixed = Recovery::fixed;
    assert_eq!(with(fixed().probes(0)), "probes = 0 is not allowed: 1 to 64");
    assert_eq!(with(fixed().probes(65)), "probes = 65 is not allowed: 1 to 64");
    assert_eq!(with(fixed().successes(0)), "successes = 0 is not allowed: 1 to 1000");
    assert_eq!(with(fixed().lease(Duration::ZERO)), "lease = 0ns is not allowed: at least 100ms");
    assert_eq!(with(fixed().jitter(1.1)), "jitter = 1.1 is not allowed: 0 to 1");
    assert_eq!(with(Recovery::growing(SECOND / 20)), "cap = 50ms is not allowed: at least 100ms");
}

#[test]
fn a_small_window_needs_no_minimum_of_its_own() {
    assert!(FailureRatio::over_attempts(5).build().is_ok());
    assert!(FailureRatio::over_attempts(1).ratio(1.0).build().is_ok());
}
