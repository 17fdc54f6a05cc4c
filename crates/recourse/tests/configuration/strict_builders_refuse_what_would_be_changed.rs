//! What normalisation changes in static policies is told by the executor, and refused by a strict builder.

use crate::scene::{KEY, Scene, ms, plain};
use recourse::circuit::{FailureRatio, Observing};
use recourse::{CircuitState, Executor, ExecutorBuilder, Key, Policy, Problem, StaticProvider};
use std::time::Duration;

fn changed() -> Policy {
    plain().max_attempts(99).circuit(0, Duration::ZERO)
}

#[test]
fn without_strict_changes_are_made_and_told() {
    let builder = Executor::builder().policy(KEY, changed()).default_policy(plain().retry_cost(0));
    let executor = builder.build().unwrap();
    let told: Vec<String> = executor.policy_changes().iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "policy \"payments.Charge\": retry.max_attempts = 99 became 10",
            "policy \"payments.Charge\": circuit.threshold = 0 became 5",
            "policy \"payments.Charge\": circuit.cooldown = 0ns became 10s",
            "default policy: retry.budget.cost = 0 became 1",
        ]
    );
    assert_eq!(executor.explain(KEY).unwrap().policy.unwrap().changes.len(), 3);
}

#[test]
fn strict_makes_every_change_a_problem_with_key_field_value_and_what_is_allowed() {
    let error = Executor::builder().policy(KEY, changed()).strict().build().unwrap_err();
    let fields: Vec<_> = error
        .problems()
        .iter()
        .map(|problem| match problem {
            Problem::Normalized { key: Some(key), change } if key.as_str() == KEY => change.field,
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(fields, ["retry.max_attempts", "circuit.threshold", "circuit.cooldown"]);
    let first = error.problems()[0].to_string();
    for part in [KEY, "retry.max_attempts = 99", "strict", "1 to 10"] {
        assert!(first.contains(part), "{first} lacks {part}");
    }
}

#[test]
fn the_message_for_a_zero_does_not_say_in_one_breath_that_zero_is_allowed() {
    let error = Executor::builder().policy(KEY, plain().max_attempts(0)).strict().build().unwrap_err();
    let text = error.to_string();
    assert!(text.contains("retry.max_attempts = 0"), "{text}");
    // Either what it would become is told, or that the default has to be written out.
    assert!(text.contains('3') || !text.contains("0 means the default"), "{text}");
}

#[test]
fn strict_changes_nothing_for_policies_that_are_normal() {
    let presets = [Policy::http(), Policy::database(), Policy::background_job(), Policy::low_latency()];
    let constant = Policy::constant(ms(40)).unwrap();
    let builder = presets.into_iter().chain([constant, Policy::exponential(ms(5), ms(80))]).enumerate();
    let builder = builder.fold(Executor::builder().strict(), |builder, (number, preset)| {
        builder.policy(format!("presets.p{number}").as_str(), preset)
    });
    assert!(builder.build().unwrap().policy_changes().is_empty());
}

/// A window of four attempts never holds the five failures of the default threshold.
fn with_small_window(builder: ExecutorBuilder) -> ExecutorBuilder {
    let window = FailureRatio::over_attempts(4).build().unwrap();
    let policy = plain().max_attempts(1).circuit(5, ms(1_000)).circuit_breaker("small");
    builder.circuit_breaker("small", window).policy(KEY, policy)
}

#[test]
fn a_threshold_that_the_breaker_cannot_reach_is_brought_down_to_one_that_it_can_and_told() {
    let scene = Scene::new();
    let executor = with_small_window(scene.builder()).build().unwrap();
    let told: Vec<_> = executor.policy_changes().iter().map(|change| change.change.to_string()).collect();
    assert_eq!(told, ["circuit.threshold = 5 became 4"]);
    (0..4).for_each(|_| _ = scene.failure(&executor));
    assert_eq!(executor.circuit_state(KEY), Some(CircuitState::Open));
}

#[test]
fn strict_refuses_a_threshold_that_the_breaker_cannot_reach() {
    let error = with_small_window(Executor::builder()).strict().build().unwrap_err();
    let text = error.to_string();
    for part in [KEY, "circuit.threshold = 5", "4", "window"] {
        assert!(text.contains(part), "{text} lacks {part}");
    }
}

#[test]
fn an_explanation_has_the_threshold_that_the_breaker_can_reach() {
    let explained = with_small_window(Executor::builder()).build().unwrap().explain(KEY).unwrap();
    assert_eq!(explained.policy.as_ref().map(|policy| policy.policy.circuit.threshold), Some(4));
    assert!(explained.to_string().contains("normalised: circuit.threshold = 5 became 4"), "{explained}");
}

#[test]
fn a_provider_that_asks_for_more_than_the_breaker_can_reach_gets_what_it_can_and_the_timeline_says_so() {
    let scene = Scene::new();
    let provider = StaticProvider::new();
    provider
        .set(Key::from_static(KEY), plain().max_attempts(1).circuit(5, ms(1_000)).circuit_breaker("small"));
    let observing = Observing::new(FailureRatio::over_attempts(4).build().unwrap());
    let builder = scene.builder().circuit_breaker("small", observing);
    let executor = builder.provider(provider).build().unwrap();
    let (_, timeline) = scene.call(&executor, &scene.fine());
    assert_eq!(timeline.attributes.get("policy_normalized_fields"), Some("circuit.threshold"));
}

#[test]
fn strict_checks_the_default_policy_too() {
    let error = Executor::builder().default_policy(changed()).strict().build().unwrap_err();
    assert_eq!(error.problems().len(), 3);
    assert!(error.to_string().contains("default policy: retry.max_attempts = 99"), "{error}");
}

#[test]
fn strict_is_about_static_policies_and_a_providers_are_still_normalised() {
    let scene = Scene::new();
    let provider = StaticProvider::new();
    provider.set(Key::from_static(KEY), changed());
    let executor = scene.builder().provider(provider).strict().build().unwrap();
    let (_, timeline) = scene.call(&executor, &scene.fine());
    assert_eq!(
        timeline.attributes.get("policy_normalized_fields"),
        Some("retry.max_attempts,circuit.threshold,circuit.cooldown")
    );
}
