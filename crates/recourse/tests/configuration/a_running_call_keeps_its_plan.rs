//! A change of policies or plugins takes effect at the next call; a running one keeps what it began with.

use crate::scene::{KEY, Scene, ms, plain};
use recourse::budget::Unlimited;
use recourse::{Attempt, Executor, HedgeDecision, Key, Outcome, StaticProvider, StopReason};
use recourse_test::{FixedClassifier, ScriptedBreaker, ScriptedTrigger};
use std::io;

/// Makes a call that always fails, and this change in the middle of its first attempt; the answer is how it ended.
fn change_during(scene: &Scene, executor: &Executor, change: impl Fn()) -> (StopReason, u32) {
    let error = scene
        .time
        .run(executor.run(KEY, |attempt: Attempt| {
            if attempt.index() == 0 && !attempt.is_hedge() {
                change();
            }
            async { Err::<u32, _>(io::Error::other("down")) }
        }))
        .unwrap_err();
    (error.stop_reason(), error.attempts())
}

#[test]
fn a_changed_policy_meets_the_next_call() {
    let scene = Scene::new();
    let provider = StaticProvider::new();
    provider.set(Key::from_static(KEY), plain().max_attempts(4));
    let executor = scene.builder().provider(provider.clone()).build().unwrap();
    let change = || drop(provider.set(Key::from_static(KEY), plain().max_attempts(1)));
    assert_eq!(change_during(&scene, &executor, change), (StopReason::AttemptsExhausted, 4));
    assert_eq!(scene.attempts(&executor), 1);
}

#[test]
fn a_key_that_disappears_is_missed_by_the_next_call() {
    let scene = Scene::new();
    let provider = StaticProvider::new();
    provider.set(Key::from_static(KEY), plain());
    let executor = scene.builder().provider(provider.clone()).build().unwrap();
    let change = || drop(provider.remove(&Key::from_static(KEY)));
    assert_eq!(change_during(&scene, &executor, change), (StopReason::AttemptsExhausted, 3));
    assert_eq!(scene.failure(&executor).stop_reason(), StopReason::NoPolicy);
}

#[test]
fn a_budget_taken_out_is_missed_by_the_next_call() {
    let scene = Scene::new();
    let builder = scene.builder().policy(KEY, plain().retry_budget("retries"));
    let executor = builder.budget("retries", Unlimited).build().unwrap();
    let change = || drop(executor.budgets().remove("retries"));
    assert_eq!(change_during(&scene, &executor, change), (StopReason::AttemptsExhausted, 3));
    assert_eq!(scene.failure(&executor).stop_reason(), StopReason::BudgetNotFound);
}

#[test]
fn a_replaced_classifier_judges_the_next_call() {
    let scene = Scene::new();
    let judge = |reason: &'static str| FixedClassifier::new(Outcome::retryable(reason));
    let builder = scene.builder().policy(KEY, plain().classifier("judge"));
    let executor = builder.classifier("judge", judge("first")).build().unwrap();
    let change = || drop(executor.classifiers().replace("judge", judge("second")).unwrap());
    change_during(&scene, &executor, change);
    let reasons: Vec<_> =
        scene.observer.attempts().iter().map(|record| record.outcome.reason.to_string()).collect();
    assert_eq!(reasons, ["first"; 3]);
    assert_eq!(scene.failure(&executor).outcome_reason(), "second");
}

#[test]
fn a_replaced_breaker_is_asked_by_the_next_call() {
    let scene = Scene::new();
    let builder = scene.builder().policy(KEY, plain().circuit_breaker("ratio"));
    let executor = builder.circuit_breaker("ratio", ScriptedBreaker::admits(1)).build().unwrap();
    let closed = ScriptedBreaker::rejects(1);
    let change = || drop(executor.circuit_breakers().replace("ratio", closed.clone()).unwrap());
    assert_eq!(change_during(&scene, &executor, change), (StopReason::AttemptsExhausted, 3));
    assert!(closed.asks().is_empty());
    assert_eq!(scene.failure(&executor).stop_reason(), StopReason::CircuitOpen);
}

#[test]
fn a_replaced_trigger_hedges_the_next_call() {
    let scene = Scene::new();
    let builder = scene.builder().policy(KEY, plain().hedge_trigger("slow").max_hedges(1));
    let executor =
        builder.hedge_trigger("slow", ScriptedTrigger::new(HedgeDecision::never())).build().unwrap();
    let spawning = ScriptedTrigger::new(HedgeDecision::spawn());
    let slow = || {
        let time = scene.time.clone();
        async move {
            time.wait(ms(50)).await;
            Ok::<_, io::Error>(7)
        }
    };
    let call = executor.call(KEY).run_captured(|_| {
        executor.hedge_triggers().replace("slow", spawning.clone()).unwrap();
        slow()
    });
    assert_eq!((scene.time.run(call).1.launched(), spawning.states().len()), (1, 0));
    assert_eq!(scene.time.run(executor.call(KEY).run_captured(|_| slow())).1.launched(), 2);
}

#[test]
fn registering_again_keeps_the_state_of_the_breaker() {
    let scene = Scene::new();
    let executor = scene.executor(plain().max_attempts(1).circuit(2, ms(1_000)));
    scene.failure(&executor);
    executor.budgets().register("unrelated", Unlimited).unwrap();
    scene.failure(&executor);
    assert_eq!(scene.failure(&executor).stop_reason(), StopReason::CircuitOpen);
}
