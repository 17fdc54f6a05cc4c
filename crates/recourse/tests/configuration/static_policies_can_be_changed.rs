//! The static provider: a map with an optional default, whose changes take effect at the next call.

use crate::scene::{KEY, Scene, ms, plain};
use recourse::{
    CircuitState, Executor, Key, Policy, PolicyProvider, PolicySource, ProviderError, ProviderErrorKind,
    StaticProvider, StopReason,
};
use recourse_test::expect;
use std::sync::Arc;

const CHARGE: Key = Key::from_static(KEY);

fn executor(scene: &Scene, provider: &StaticProvider) -> Executor {
    scene.builder().provider(provider.clone()).build().unwrap()
}

#[test]
fn without_a_default_an_unknown_key_is_not_found() {
    let scene = Scene::new();
    let provider = StaticProvider::new();
    provider.set(CHARGE, plain());
    let executor = executor(&scene, &provider);
    assert_eq!(scene.attempts(&executor), 3);
    let (result, _) = scene.call_key(&executor, "another.Key", &scene.fine());
    let error = result.unwrap_err();
    let cause = error.cause().and_then(|cause| cause.downcast_ref::<ProviderError>()).unwrap();
    assert_eq!(cause.kind, ProviderErrorKind::PolicyNotFound);
    let text = error.to_string();
    assert!(text.contains("policy_not_found") && text.contains("another.Key"), "{text}");
}

#[test]
fn a_default_answers_every_other_key() {
    let scene = Scene::new();
    let provider = StaticProvider::new();
    provider.set(CHARGE, plain().max_attempts(2));
    provider.set_default(Some(plain().max_attempts(4)));
    let executor = executor(&scene, &provider);
    assert_eq!(scene.attempts(&executor), 2);
    let (result, timeline) = scene.call_key(&executor, "another.Key", &scene.failing());
    assert_eq!(result.unwrap_err().attempts(), 4);
    expect(&timeline).attribute("policy_source", "default");
}

#[test]
fn every_change_takes_effect_at_the_next_call() {
    let scene = Scene::new();
    let provider = StaticProvider::new();
    let executor = executor(&scene, &provider);
    assert_eq!(scene.failure(&executor).stop_reason(), StopReason::NoPolicy);
    provider.set_default(Some(plain().max_attempts(5)));
    assert_eq!(scene.attempts(&executor), 5);
    assert!(provider.set(CHARGE, plain().max_attempts(2)).is_none());
    assert_eq!(scene.attempts(&executor), 2);
    let before = provider.set(CHARGE, plain().max_attempts(4)).unwrap();
    assert_eq!((before.retry.max_attempts, scene.attempts(&executor)), (2, 4));
    assert_eq!(provider.remove(&CHARGE).unwrap().retry.max_attempts, 4);
    assert_eq!(scene.attempts(&executor), 5);
    provider.set_default(None);
    assert_eq!(scene.failure(&executor).stop_reason(), StopReason::NoPolicy);
    assert!(provider.remove(&CHARGE).is_none());
}

#[test]
fn executors_may_share_one_provider() {
    let scene = Scene::new();
    let provider = StaticProvider::new();
    provider.set_default(Some(plain()));
    let executors = [executor(&scene, &provider), executor(&scene, &provider)];
    for attempts in [2, 4] {
        provider.set(CHARGE, plain().max_attempts(attempts));
        assert_eq!(executors.each_ref().map(|executor| scene.attempts(executor)), [attempts, attempts]);
    }
}

#[test]
fn spellings_of_a_key_are_one_key() {
    let provider = StaticProvider::new();
    provider.set(Key::new(" payments . Charge ").unwrap(), plain());
    assert_eq!(provider.keys(), [CHARGE]);
    assert!(provider.set(CHARGE, plain()).is_some());
}

#[test]
fn the_answer_at_once_and_the_awaited_one_are_the_same() {
    let scene = Scene::new();
    let provider = StaticProvider::new();
    provider.set(CHARGE, plain());
    let now = provider.policy_now(&CHARGE).unwrap().unwrap();
    let later = scene.time.run(provider.policy(&CHARGE)).unwrap();
    assert_eq!((&now, now.source), (&later, PolicySource::Static));
    assert!(Arc::ptr_eq(&now.policy, &later.policy));
    let other = Key::from_static("another.Key");
    assert!(provider.policy_now(&other).unwrap().is_err());
    assert!(scene.time.run(provider.policy(&other)).is_err());
    let before = provider.generation().unwrap().current();
    provider.set(other, plain());
    assert!(provider.generation().unwrap().current() > before);
}

#[test]
fn a_changed_policy_keeps_the_state_of_its_breaker() {
    let scene = Scene::new();
    let provider = StaticProvider::new();
    let policy = |threshold| plain().max_attempts(1).circuit(threshold, ms(1_000));
    provider.set(CHARGE, policy(3));
    let executor = executor(&scene, &provider);
    scene.failure(&executor);
    // Two failures in a row are enough from here on, and one has been counted.
    provider.set(CHARGE, policy(2));
    scene.failure(&executor);
    assert_eq!(executor.circuit_state(KEY), Some(CircuitState::Open));
    provider.set(CHARGE, Policy::new().max_attempts(1));
    assert_eq!(scene.failure(&executor).stop_reason(), StopReason::AttemptsExhausted);
    provider.set(CHARGE, policy(2));
    assert_eq!(scene.failure(&executor).stop_reason(), StopReason::CircuitOpen);
}
