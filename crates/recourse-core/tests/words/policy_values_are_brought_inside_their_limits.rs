//! Normalisation: every row of the policy table, with what it reports and what it refuses.

use recourse_core::policy::{Jitter, Policy, PolicySource, limits};
use recourse_core::{EffectivePolicy, PolicyError};
use std::time::Duration;

const NANO: Duration = Duration::from_nanos(1);

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn effective(policy: &Policy) -> EffectivePolicy {
    policy.normalize(PolicySource::Static).unwrap()
}

fn changes(policy: &Policy) -> Vec<String> {
    effective(policy).changes.iter().map(ToString::to_string).collect()
}

/// Hedging and circuit on, and nothing else that is not the default.
fn all_on() -> Policy {
    Policy::new().hedge_after(limits::DEFAULT_HEDGE_DELAY).circuit(5, ms(10_000))
}

#[test]
fn every_field_outside_its_limits_is_changed_and_reported_alone() {
    let backoff = |initial, max| all_on().backoff(initial, max);
    let rows = [
        (all_on().max_attempts(0), "retry.max_attempts = 0 became 3"),
        (all_on().max_attempts(11), "retry.max_attempts = 11 became 10"),
        (all_on().max_attempts(u32::MAX), "retry.max_attempts = 4294967295 became 10"),
        (backoff(Duration::ZERO, ms(250)), "retry.initial_backoff = 0ns became 10ms"),
        (backoff(NANO, ms(250)), "retry.initial_backoff = 1ns became 1ms"),
        (backoff(ms(30_001), ms(30_000)), "retry.initial_backoff = 30.001s became 30s"),
        (backoff(ms(10), Duration::ZERO), "retry.max_backoff = 0ns became 250ms"),
        (backoff(ms(10), ms(9)), "retry.max_backoff = 9ms became 10ms"),
        (backoff(ms(300), Duration::ZERO), "retry.max_backoff = 0ns became 300ms"),
        (backoff(ms(10), ms(30_001)), "retry.max_backoff = 30.001s became 30s"),
        (all_on().backoff_multiplier(0.0), "retry.backoff_multiplier = 0 became 2"),
        (all_on().backoff_multiplier(-0.0), "retry.backoff_multiplier = -0 became 2"),
        (all_on().backoff_multiplier(0.5), "retry.backoff_multiplier = 0.5 became 1"),
        (all_on().backoff_multiplier(10.5), "retry.backoff_multiplier = 10.5 became 10"),
        (all_on().max_server_delay(Duration::ZERO), "retry.max_server_delay = 0ns became 30s"),
        (all_on().max_server_delay(NANO), "retry.max_server_delay = 1ns became 1ms"),
        (all_on().max_server_delay(ms(300_001)), "retry.max_server_delay = 300.001s became 300s"),
        (all_on().timeout_per_attempt(Duration::ZERO), "retry.timeout_per_attempt = 0s became off"),
        (all_on().timeout_per_attempt(NANO), "retry.timeout_per_attempt = 1ns became 1ms"),
        (all_on().overall_timeout(Duration::ZERO), "retry.overall_timeout = 0s became off"),
        (all_on().overall_timeout(NANO), "retry.overall_timeout = 1ns became 1ms"),
        (all_on().retry_cost(0), "retry.budget.cost = 0 became 1"),
        (all_on().hedge_cost(0), "hedge.budget.cost = 0 became 1"),
        (all_on().max_hedges(0), "hedge.max_hedges = 0 became 2"),
        (all_on().max_hedges(4), "hedge.max_hedges = 4 became 3"),
        (all_on().hedge_after(Duration::ZERO), "hedge.hedge_delay = 0ns became 200ms"),
        (all_on().hedge_after(ms(9)), "hedge.hedge_delay = 9ms became 10ms"),
        (all_on().circuit(0, ms(10_000)), "circuit.threshold = 0 became 5"),
        (all_on().circuit(5, Duration::ZERO), "circuit.cooldown = 0ns became 10s"),
        (all_on().circuit(5, ms(99)), "circuit.cooldown = 99ms became 100ms"),
    ];
    for (policy, change) in rows {
        assert_eq!(changes(&policy), [change]);
        assert!(changes(&effective(&policy).policy).is_empty(), "{change}, then again");
    }
}

#[test]
fn values_at_the_limits_stay_as_they_are() {
    let most = Duration::MAX;
    let low = all_on().max_attempts(1).backoff(ms(1), ms(1)).backoff_multiplier(1.0);
    let low = low.max_server_delay(ms(1)).timeout_per_attempt(ms(1)).overall_timeout(ms(1));
    let low = low.max_hedges(1).hedge_after(ms(10)).circuit(1, ms(100)).retry_cost(1).hedge_cost(1);
    let high = all_on().max_attempts(10).backoff(ms(30_000), ms(30_000)).backoff_multiplier(10.0);
    let high = high.max_server_delay(ms(300_000)).timeout_per_attempt(most).overall_timeout(most);
    let high = high.max_hedges(3).hedge_after(most).circuit(u32::MAX, most);
    let high = high.retry_cost(u32::MAX).hedge_cost(u32::MAX);
    for policy in [Policy::new(), all_on(), low, high] {
        assert_eq!(changes(&policy), [""; 0]);
        assert_eq!(effective(&policy).policy, policy);
    }
}

#[test]
fn a_number_that_is_none_is_an_error_with_field_value_and_what_is_allowed() {
    for (bad, text) in [
        (f64::NAN, "NaN"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
        (-2.0, "-2"),
        (-f64::MIN_POSITIVE, "-0"),
    ] {
        let policy = all_on().max_attempts(99).backoff_multiplier(bad);
        let error: PolicyError = policy.normalize(PolicySource::Remote).unwrap_err();
        let message = error.to_string();
        assert_eq!(error.field, "retry.backoff_multiplier");
        assert!(message.starts_with(&format!("retry.backoff_multiplier = {text}")), "{message}");
        assert!(message.ends_with("is not allowed: 1 to 10; 0 means the default"), "{message}");
    }
}

#[test]
fn parts_that_are_off_are_left_as_they_were_written() {
    let mut policy = Policy::new().max_hedges(99);
    policy.hedge.hedge_delay = Duration::ZERO;
    (policy.circuit.threshold, policy.circuit.cooldown) = (0, NANO);
    assert_eq!(changes(&policy), [""; 0]);
    assert_eq!(policy.worst_case_attempts(), 3);
}

#[test]
fn the_circuit_part_is_normalised_with_hedging_on_and_off_alike() {
    let wanted = ["circuit.threshold = 0 became 5", "circuit.cooldown = 1ns became 100ms"];
    let off = Policy::new().circuit(0, NANO);
    assert_eq!(changes(&off), wanted);
    assert_eq!(changes(&off.clone().hedge_after(ms(200))), wanted);
    assert_eq!(effective(&off).policy.circuit.cooldown, ms(100));
}

#[test]
fn jitter_is_full_unless_said_otherwise_and_an_unknown_one_is_an_error() {
    assert_eq!(Policy::new().retry.jitter, Jitter::Full);
    for jitter in Jitter::ALL {
        assert_eq!(jitter.to_string().parse(), Ok(jitter));
    }
    for text in ["", "Full", "fulll", "full "] {
        let message = text.parse::<Jitter>().unwrap_err().to_string();
        assert!(message.contains(&format!("retry.jitter = {text:?}")), "{message}");
        assert!(message.contains("none, full, equal or decorrelated"), "{message}");
    }
}

#[test]
fn the_effective_policy_says_where_it_came_from() {
    let sources = [
        (PolicySource::Static, "static"),
        (PolicySource::Remote, "remote"),
        (PolicySource::LastKnownGood, "lkg"),
        (PolicySource::Default, "default"),
        (PolicySource::Unknown, "unknown"),
    ];
    for (source, name) in sources {
        let effective = Policy::new().max_attempts(99).normalize(source).unwrap();
        assert_eq!((effective.source, effective.source.as_str()), (source, name));
        assert_eq!(effective.changed_fields().collect::<Vec<_>>(), ["retry.max_attempts"]);
    }
    assert_eq!(PolicySource::default(), PolicySource::Unknown);
}

#[test]
fn setters_set_what_their_name_says_and_nothing_else() {
    let policy = Policy::new().id("charge-v3").max_attempts(5).classifier("custom").retry_budget("retries");
    let mut wanted = Policy::default();
    wanted.id = "charge-v3".into();
    wanted.retry.max_attempts = 5;
    wanted.retry.classifier_name = "custom".into();
    wanted.retry.budget.name = "retries".into();
    assert_eq!(policy, wanted);

    let policy = Policy::new().hedge_trigger("p95").hedge_budget("hedges").cancel_on_first_terminal(true);
    let mut wanted = Policy::default();
    wanted.hedge.enabled = true;
    wanted.hedge.trigger_name = "p95".into();
    wanted.hedge.budget.name = "hedges".into();
    wanted.hedge.cancel_on_first_terminal = true;
    assert_eq!(policy, wanted);

    let mut wanted = Policy::default();
    wanted.circuit.enabled = true;
    wanted.circuit.breaker_name = "ratio".into();
    assert_eq!(Policy::new().circuit_breaker("ratio"), wanted);
}

#[test]
fn whatever_is_written_normalising_once_is_enough() {
    let mut state = 0x9e37_79b9_u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state >> 33
    };
    for _ in 0..2_000 {
        let time =
            |draw: u64| Duration::from_micros([0, 1, 700, 5_000, 400_000, 90_000_000][draw as usize % 6]);
        let mut policy = Policy::new()
            .max_attempts(draw() as u32 % 13)
            .backoff(time(draw()), time(draw()))
            .backoff_multiplier((draw() % 130) as f64 / 10.0)
            .max_server_delay(time(draw()))
            .timeout_per_attempt(time(draw()))
            .overall_timeout(time(draw()))
            .max_hedges(draw() as u32 % 6)
            .retry_cost(draw() as u32 % 3);
        (policy.hedge.enabled, policy.hedge.hedge_delay) = (draw() % 2 == 0, time(draw()));
        (policy.circuit.enabled, policy.circuit.cooldown) = (draw() % 2 == 0, time(draw()));
        let once = effective(&policy);
        assert_eq!(changes(&once.policy), [""; 0], "{policy:?}");
        assert_eq!(once.changes.is_empty(), once.policy == policy, "a change goes unreported: {policy:?}");
        let retry = &once.policy.retry;
        assert!((1..=10).contains(&retry.max_attempts), "{policy:?}");
        assert!(retry.initial_backoff <= retry.max_backoff && retry.max_backoff <= ms(30_000), "{policy:?}");
    }
}
