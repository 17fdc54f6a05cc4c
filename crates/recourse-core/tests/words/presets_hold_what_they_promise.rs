//! Presets: their values are part of the contract, and they set nothing that they don't promise.

use recourse_core::policy::{Jitter, Policy, PolicySource};
use std::time::Duration;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A default policy with these attempts, waits, jitter and timeouts.
fn retrying(
    attempts: u32,
    waits: (u64, u64),
    jitter: Jitter,
    timeouts: (Option<u64>, Option<u64>),
) -> Policy {
    let mut policy = Policy::default();
    policy.retry.max_attempts = attempts;
    (policy.retry.initial_backoff, policy.retry.max_backoff) = (ms(waits.0), ms(waits.1));
    (policy.retry.jitter, policy.retry.backoff_multiplier) = (jitter, 2.0);
    (policy.retry.timeout_per_attempt, policy.retry.overall_timeout) =
        (timeouts.0.map(ms), timeouts.1.map(ms));
    policy
}

#[test]
fn http_is_three_attempts_judged_by_status() {
    let mut wanted = retrying(3, (100, 2_000), Jitter::Full, (Some(10_000), Some(30_000)));
    wanted.retry.classifier_name = "http".into();
    assert_eq!(Policy::http(), wanted);
}

#[test]
fn database_is_three_attempts_with_longer_waits() {
    assert_eq!(Policy::database(), retrying(3, (100, 5_000), Jitter::Equal, (Some(30_000), Some(60_000))));
}

#[test]
fn background_job_has_time_but_not_for_ever() {
    assert_eq!(Policy::background_job(), retrying(5, (1_000, 30_000), Jitter::Full, (None, Some(300_000))));
}

#[test]
fn low_latency_hedges_and_gives_up_soon() {
    let mut wanted = retrying(2, (10, 50), Jitter::Equal, (Some(500), Some(1_000)));
    (wanted.hedge.enabled, wanted.hedge.max_hedges, wanted.hedge.hedge_delay) = (true, 2, ms(100));
    assert_eq!(Policy::low_latency(), wanted);
}

#[test]
fn exponential_doubles_with_equal_jitter() {
    assert_eq!(Policy::exponential(ms(50), ms(5_000)), retrying(3, (50, 5_000), Jitter::Equal, (None, None)));
}

#[test]
fn constant_waits_the_same_every_time() {
    let mut wanted = retrying(3, (40, 40), Jitter::None, (None, None));
    wanted.retry.backoff_multiplier = 1.0;
    assert_eq!(Policy::constant(ms(40)), Ok(wanted));
}

#[test]
fn a_constant_delay_of_zero_is_an_error_with_field_value_and_what_is_allowed() {
    let error = Policy::constant(Duration::ZERO).unwrap_err();
    assert_eq!(
        error.to_string(),
        "retry.initial_backoff = 0s is not allowed: a constant delay of 1ms to 30s"
    );
}

#[test]
fn a_constant_delay_outside_its_limits_is_normalised_and_reported() {
    let effective = Policy::constant(ms(40_000)).unwrap().normalize(PolicySource::Static).unwrap();
    assert_eq!(
        (effective.policy.retry.initial_backoff, effective.policy.retry.max_backoff),
        (ms(30_000), ms(30_000))
    );
    let fields: Vec<_> = effective.changed_fields().collect();
    assert_eq!(fields, ["retry.initial_backoff", "retry.max_backoff"]);
}

#[test]
fn no_preset_needs_normalising_and_each_can_be_built_upon() {
    let constant = Policy::constant(ms(1)).unwrap();
    let exponential = Policy::exponential(ms(1), ms(30_000));
    let named = [Policy::http(), Policy::database(), Policy::background_job(), Policy::low_latency()];
    for preset in named.into_iter().chain([constant, exponential]) {
        let policy = preset.clone().max_attempts(4).retry_budget("retries");
        let effective = policy.normalize(PolicySource::Static).unwrap();
        assert!(effective.changes.is_empty(), "{:?}", effective.changes);
        assert_eq!(effective.policy.retry.max_backoff, preset.retry.max_backoff);
        assert_eq!((effective.policy.retry.max_attempts, effective.policy.hedge), (4, preset.hedge));
    }
}
