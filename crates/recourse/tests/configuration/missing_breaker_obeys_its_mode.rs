//! A circuit breaker that is not registered: an error at the call, or consecutive failures stand in.

use crate::scene::{KEY, Scene, ms, plain};
use recourse::{CircuitState, Executor, MissingBreaker, MissingPlugin, Policy, StopReason};
use recourse_test::{ScriptedBreaker, ScriptedBudget, expect};

fn guarded() -> Policy {
    plain().max_attempts(1).circuit(2, ms(1_000)).circuit_breaker("ratio")
}

fn executor(scene: &Scene, mode: Option<MissingBreaker>) -> Executor {
    let builder = scene.builder().policy(KEY, guarded()).late_registration();
    mode.into_iter().fold(builder, |builder, mode| builder.missing_breaker(mode)).build().unwrap()
}

#[test]
fn by_default_the_call_ends_at_its_start_and_names_the_breaker() {
    for mode in [None, Some(MissingBreaker::Deny)] {
        let scene = Scene::new();
        let operation = scene.fine();
        let (result, timeline) = scene.call(&executor(&scene, mode), &operation);
        let error = result.unwrap_err();
        assert_eq!((error.stop_reason(), error.attempts()), (StopReason::BreakerNotFound, 0));
        assert_eq!((operation.count(), timeline.attempts().len()), (0, 0));
        let cause = error.cause().and_then(|cause| cause.downcast_ref::<MissingPlugin>()).unwrap();
        assert_eq!((cause.field, cause.name.as_str()), ("circuit.breaker_name", "ratio"));
        let text = error.to_string();
        for part in [KEY, "breaker_not_found", "circuit.breaker_name", "\"ratio\"", "consecutive_failures"] {
            assert!(text.contains(part), "{text} lacks {part}");
        }
        expect(&timeline).failure().stop("breaker_not_found").attribute("policy_source", "static");
    }
}

#[test]
fn a_missing_breaker_is_noticed_before_a_budget_is_asked() {
    let scene = Scene::new();
    let budget = ScriptedBudget::allows(1);
    let builder = scene.builder().policy(KEY, guarded().retry_budget("retries")).late_registration();
    let executor = builder.budget("retries", budget.clone()).build().unwrap();
    assert_eq!(scene.failure(&executor).stop_reason(), StopReason::BreakerNotFound);
    assert!(budget.asks().is_empty());
}

#[test]
fn fallback_counts_consecutive_failures_by_the_policys_settings() {
    let scene = Scene::new();
    let executor = executor(&scene, Some(MissingBreaker::Fallback));
    let (_, timeline) = scene.call(&executor, &scene.failing());
    expect(&timeline).attribute("breaker_fallback", "consecutive_failures");
    assert_eq!(executor.circuit_state(KEY), Some(CircuitState::Closed));
    scene.failure(&executor);
    assert_eq!(executor.circuit_state(KEY), Some(CircuitState::Open));
    assert_eq!(scene.failure(&executor).stop_reason(), StopReason::CircuitOpen);
    scene.time.advance(ms(1_000));
    assert_eq!(scene.call(&executor, &scene.fine()).0.unwrap(), 7);
}

#[test]
fn a_breaker_that_is_there_is_asked_and_nothing_is_said() {
    let scene = Scene::new();
    let breaker = ScriptedBreaker::rejects(1);
    let executor = scene.builder().policy(KEY, guarded()).circuit_breaker("ratio", breaker.clone());
    let (result, timeline) = scene.call(&executor.build().unwrap(), &scene.fine());
    assert_eq!(result.unwrap_err().stop_reason(), StopReason::CircuitOpen);
    expect(&timeline).no_attribute("breaker_fallback");
    assert_eq!(breaker.settings(), [recourse::BreakerSettings::new(2, ms(1_000))]);
}

#[test]
fn without_a_name_consecutive_failures_are_no_fallback() {
    let scene = Scene::new();
    let executor = scene.executor(plain().max_attempts(1).circuit(1, ms(1_000)));
    let (_, timeline) = scene.call(&executor, &scene.failing());
    expect(&timeline).no_attribute("breaker_fallback");
    assert_eq!(executor.circuit_state(KEY), Some(CircuitState::Open));
}

#[test]
fn a_breaker_of_a_policy_without_a_circuit_is_not_missed() {
    let scene = Scene::new();
    let mut policy = guarded();
    policy.circuit.enabled = false;
    let executor = scene.builder().policy(KEY, policy).late_registration().build().unwrap();
    assert_eq!(scene.call(&executor, &scene.fine()).0.unwrap(), 7);
}

#[test]
fn a_missing_breaker_is_an_error_also_past_the_cap_of_keys() {
    let scene = Scene::new();
    let builder = scene.builder().policy(KEY, guarded()).late_registration().max_keys(0);
    let operation = scene.fine();
    let (result, _) = scene.call(&builder.build().unwrap(), &operation);
    assert_eq!(
        (result.map_err(|error| error.stop_reason()), operation.count()),
        (Err(StopReason::BreakerNotFound), 0)
    );
}

#[test]
fn one_that_is_registered_later_is_asked_by_the_next_call_and_one_taken_out_is_missing_again() {
    let scene = Scene::new();
    let executor = executor(&scene, None);
    assert_eq!(scene.failure(&executor).stop_reason(), StopReason::BreakerNotFound);
    executor.circuit_breakers().register("ratio", ScriptedBreaker::admits(1)).unwrap();
    assert_eq!(scene.failure(&executor).stop_reason(), StopReason::AttemptsExhausted);
    executor.circuit_breakers().remove("ratio").unwrap();
    assert_eq!(scene.failure(&executor).stop_reason(), StopReason::BreakerNotFound);
}
