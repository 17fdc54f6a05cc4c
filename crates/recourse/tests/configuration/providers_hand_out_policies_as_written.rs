//! What a provider hands out is normalised by the executor, and refused where it can't be.

use crate::scene::{KEY, Scene, ms, plain};
use crate::source::Source;
use recourse::{Executor, MissingPolicy, Policy, PolicyError, PolicySource, StopReason};
use recourse_test::expect;
use std::time::Duration;

fn executor(scene: &Scene, policy: Policy, mode: MissingPolicy) -> Executor {
    let source = Source::at_once();
    source.gives(policy, PolicySource::Remote);
    scene.builder().provider(source).missing_policy(mode).build().unwrap()
}

#[test]
fn values_outside_their_limits_are_brought_inside_and_the_timeline_says_which() {
    let scene = Scene::new();
    let policy = plain().max_attempts(99).backoff(ms(1), Duration::ZERO).hedge_after(ms(1)).max_hedges(9);
    let executor = executor(&scene, policy, MissingPolicy::Deny);
    let (result, timeline) = scene.call(&executor, &scene.failing());
    assert_eq!(result.unwrap_err().attempts(), 10);
    expect(&timeline).attribute("policy_source", "remote").attribute(
        "policy_normalized_fields",
        "retry.max_attempts,retry.max_backoff,hedge.max_hedges,hedge.hedge_delay",
    );
    let backoffs = [1, 2, 4, 8, 16, 32, 64, 128, 250].map(ms);
    expect(&timeline).backoffs(backoffs).no_attribute("policy_error");
    let policy = scene.observer.policies().pop().flatten().unwrap();
    assert_eq!((policy.policy.hedge.max_hedges, policy.policy.hedge.hedge_delay), (3, ms(10)));
    assert_eq!((policy.source, policy.changes.len()), (PolicySource::Remote, 4));
}

#[test]
fn a_policy_inside_its_limits_has_nothing_to_say() {
    let scene = Scene::new();
    let executor = executor(&scene, plain(), MissingPolicy::Deny);
    let (_, timeline) = scene.call(&executor, &scene.fine());
    expect(&timeline).no_attribute("policy_normalized_fields").no_attribute("policy_error");
}

#[test]
fn a_number_that_is_none_is_no_policy_and_the_error_says_field_value_and_what_is_allowed() {
    for (bad, shown) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (-1.5, "-1.5")] {
        let scene = Scene::new();
        let operation = scene.fine();
        let executor = executor(&scene, plain().backoff_multiplier(bad), MissingPolicy::Deny);
        let (result, timeline) = scene.call(&executor, &operation);
        let error = result.unwrap_err();
        assert_eq!((error.stop_reason(), operation.count()), (StopReason::NoPolicy, 0));
        let cause = error.cause().and_then(|cause| cause.downcast_ref::<PolicyError>()).unwrap();
        assert_eq!((cause.field, cause.value.as_str()), ("retry.backoff_multiplier", shown));
        expect(&timeline).attribute("policy_error", "policy_fetch_failed");
        let told = timeline.error.clone().unwrap();
        for text in [error.to_string(), format!("{KEY}: {told}")] {
            for part in [KEY, "retry.backoff_multiplier", shown, "1 to 10"] {
                assert!(text.contains(part), "{text} lacks {part}");
            }
        }
    }
}

#[test]
fn a_policy_that_can_not_be_normalised_meets_the_mode_for_a_missing_one() {
    let bad = plain().max_attempts(7).backoff_multiplier(f64::NAN);
    for (mode, attempts, source) in
        [(MissingPolicy::Allow, 1, "unknown"), (MissingPolicy::Fallback, 3, "default")]
    {
        let scene = Scene::new();
        let executor = executor(&scene, bad.clone(), mode);
        let (result, timeline) = scene.call(&executor, &scene.failing());
        assert_eq!(result.unwrap_err().attempts(), attempts);
        expect(&timeline).attribute("policy_source", source).attribute("policy_mode", mode.mode().as_str());
        expect(&timeline).attribute("policy_error", "policy_fetch_failed");
        let explained = executor.explain(KEY).unwrap().to_string();
        assert!(explained.contains("retry.backoff_multiplier"), "{explained}");
    }
}

#[test]
fn names_that_nothing_is_registered_under_meet_their_modes_at_the_call() {
    for (policy, stop) in [
        (plain().retry_budget("x"), StopReason::BudgetNotFound),
        (plain().circuit_breaker("x"), StopReason::BreakerNotFound),
        (plain().classifier("x"), StopReason::AttemptsExhausted),
        (plain().hedge_trigger("x"), StopReason::AttemptsExhausted),
    ] {
        let scene = Scene::new();
        let executor = executor(&scene, policy, MissingPolicy::Deny);
        assert_eq!(scene.failure(&executor).stop_reason(), stop);
    }
}

#[test]
fn every_source_is_told_as_it_is() {
    for (source, name) in [
        (PolicySource::Static, "static"),
        (PolicySource::Remote, "remote"),
        (PolicySource::LastKnownGood, "lkg"),
        (PolicySource::Default, "default"),
        (PolicySource::Unknown, "unknown"),
    ] {
        let scene = Scene::new();
        let provider = Source::at_once();
        provider.gives(plain().id("remote-v1"), source);
        let executor = scene.builder().provider(provider).build().unwrap();
        let (result, timeline) = scene.call(&executor, &scene.fine());
        assert_eq!(result.unwrap(), 7);
        expect(&timeline).policy_id("remote-v1").attribute("policy_source", name);
    }
}

#[test]
fn limits_as_wide_as_numbers_go_break_nothing() {
    let scene = Scene::new();
    let widest = plain()
        .backoff(Duration::MAX, Duration::MAX)
        .backoff_multiplier(f64::MAX)
        .max_server_delay(Duration::MAX)
        .timeout_per_attempt(Duration::MAX)
        .overall_timeout(Duration::MAX)
        .max_attempts(u32::MAX)
        .hedge_after(Duration::MAX)
        .max_hedges(u32::MAX)
        .circuit(u32::MAX, Duration::MAX);
    let executor = executor(&scene, widest, MissingPolicy::Deny);
    let (result, timeline) = scene.call(&executor, &scene.failing());
    assert_eq!(result.unwrap_err().attempts(), 10);
    expect(&timeline).backoffs([ms(30_000); 9]).well_formed();
    let explanation = executor.explain(KEY).unwrap();
    assert_eq!(explanation.worst_case_attempts, 40);
    assert!(explanation.worst_case_duration.is_some_and(|time| time > ms(270_000)));
    assert!(explanation.to_string().contains("worst case"));
}
