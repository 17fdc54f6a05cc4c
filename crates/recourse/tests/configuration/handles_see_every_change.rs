//! A handle skips the look-up of its key, and sees every change of policies and plugins all the same.

use crate::scene::{KEY, Scene, ms, plain};
use recourse::budget::Unlimited;
use recourse::{Handle, Key, MissingPolicy, Policy, StaticProvider, StopReason};
use recourse_test::{ScriptedError, expect};

const CHARGE: Key = Key::from_static(KEY);

fn failure(scene: &Scene, handle: &Handle) -> recourse::Error<ScriptedError> {
    let operation = scene.failing();
    scene.time.run(handle.run(|attempt| operation.call(attempt))).unwrap_err()
}

#[test]
fn a_handle_obeys_the_policy_of_its_key() {
    let scene = Scene::new();
    let executor = scene.builder().policy(KEY, plain().max_attempts(2).id("v1")).build().unwrap();
    let handle = executor.handle(" payments . Charge ").unwrap();
    assert_eq!((handle.key(), failure(&scene, &handle).attempts()), (&CHARGE, 2));
    let operation = scene.fine();
    let (result, timeline) = scene.time.run(handle.call().run_captured(|attempt| operation.call(attempt)));
    assert_eq!(result.unwrap(), 7);
    expect(&timeline).success().policy_id("v1").attribute("policy_source", "static");
}

#[test]
fn a_handle_sees_policies_come_change_and_go() {
    let scene = Scene::new();
    let provider = StaticProvider::new();
    let executor = scene.builder().provider(provider.clone()).build().unwrap();
    let handle = executor.handle(CHARGE).unwrap();
    assert_eq!(failure(&scene, &handle).stop_reason(), StopReason::NoPolicy);
    for attempts in [2, 5] {
        provider.set(CHARGE, plain().max_attempts(attempts));
        assert_eq!(failure(&scene, &handle).attempts(), attempts);
    }
    provider.remove(&CHARGE);
    let error = failure(&scene, &handle);
    assert_eq!(error.stop_reason(), StopReason::NoPolicy);
    assert!(error.to_string().contains("policy_not_found"), "{error}");
}

#[test]
fn a_handle_whose_key_has_disappeared_meets_the_mode_for_missing_policies() {
    for (mode, attempts) in
        [(MissingPolicy::Deny, 0), (MissingPolicy::Allow, 1), (MissingPolicy::Fallback, 3)]
    {
        let scene = Scene::new();
        let provider = StaticProvider::new();
        provider.set(CHARGE, plain().max_attempts(5));
        let executor = scene.builder().provider(provider.clone()).missing_policy(mode).build().unwrap();
        let handle = executor.handle(CHARGE).unwrap();
        assert_eq!(failure(&scene, &handle).attempts(), 5);
        provider.remove(&CHARGE);
        assert_eq!(failure(&scene, &handle).attempts(), attempts);
    }
}

#[test]
fn a_handle_sees_plugins_come_and_go() {
    let scene = Scene::new();
    let builder = scene.builder().policy(KEY, plain().retry_budget("retries")).late_registration();
    let executor = builder.build().unwrap();
    let handle = executor.handle(KEY).unwrap();
    assert_eq!(failure(&scene, &handle).stop_reason(), StopReason::BudgetNotFound);
    executor.budgets().register("retries", Unlimited).unwrap();
    assert_eq!(failure(&scene, &handle).attempts(), 3);
    executor.budgets().remove("retries").unwrap();
    assert_eq!(failure(&scene, &handle).stop_reason(), StopReason::BudgetNotFound);
}

#[test]
fn handle_and_key_share_one_breaker() {
    let scene = Scene::new();
    let executor = scene.executor(plain().max_attempts(1).circuit(2, ms(1_000)));
    let (first, second) = (executor.handle(KEY).unwrap(), executor.handle("payments. Charge").unwrap());
    failure(&scene, &first);
    failure(&scene, &second.clone());
    assert_eq!(scene.failure(&executor).stop_reason(), StopReason::CircuitOpen);
    assert_eq!(executor.key_count(), 1);
}

#[test]
fn a_handle_outlives_the_executor_that_it_came_from() {
    let scene = Scene::new();
    let executor = scene.executor(plain().max_attempts(2));
    let handle = executor.handle(KEY).unwrap();
    drop(executor);
    assert_eq!(failure(&scene, &handle).attempts(), 2);
}

#[test]
fn a_text_that_is_no_key_has_no_handle() {
    let executor = Scene::new().builder().default_policy(Policy::new()).build().unwrap();
    for text in ["", " ", "...", " . "] {
        let error = executor.handle(text).unwrap_err();
        assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
    }
    assert_eq!(executor.key_count(), 0);
}

#[test]
fn a_handle_past_the_cap_of_keys_obeys_its_policy_and_sees_changes() {
    let scene = Scene::new();
    let provider = StaticProvider::new();
    provider.set_default(Some(plain().max_attempts(2)));
    let executor = scene.builder().provider(provider.clone()).max_keys(0).build().unwrap();
    let handle = executor.handle(KEY).unwrap();
    assert_eq!(failure(&scene, &handle).attempts(), 2);
    provider.set(CHARGE, plain().max_attempts(4));
    assert_eq!(failure(&scene, &handle).attempts(), 4);
    assert_eq!((scene.observer.state_capped().len(), executor.key_count()), (2, 0));
}
