//! A half-open circuit lets one probe through at a time, and gets its slot back however the probe ends.

use crate::scene::{KEY, Scene, built, ms, plain};
use recourse::{
    AttemptKind, CircuitState, Ending, Executor, ExecutorBuilder, Jitter, Outcome, Policy, StaticProvider,
    StopReason,
};
use recourse_test::{FixedClassifier, Script, ScriptedBreaker, ScriptedBudget, expect};
use std::panic::{AssertUnwindSafe, catch_unwind};

fn guarded() -> Policy {
    plain().max_attempts(1).circuit(1, ms(100))
}

/// Opens the circuit and lets its cooldown pass: the next primary is the probe.
fn opened(scene: &Scene, builder: ExecutorBuilder) -> Executor {
    let executor = built(builder);
    open(scene, &executor);
    executor
}

fn open(scene: &Scene, executor: &Executor) {
    let broken = Script::<u32>::fails(1).on(&scene.time);
    assert!(scene.time.run(executor.run(KEY, |attempt| broken.call(attempt))).is_err());
    assert_eq!(executor.circuit_state(KEY), Some(CircuitState::Open));
    scene.time.advance(ms(100));
}

/// A later call is admitted as the probe and closes the circuit.
#[track_caller]
fn assert_recovers(scene: &Scene, executor: &Executor) {
    let fine = Script::ok(7).on(&scene.time);
    let result = scene.time.run(executor.run(KEY, |attempt| fine.call(attempt)));
    assert_eq!(result.ok(), Some(7));
    assert_eq!(executor.circuit_state(KEY), Some(CircuitState::Closed));
}

#[test]
fn one_probe_at_a_time() {
    let scene = Scene::new();
    let executor = opened(&scene, scene.builder().policy(KEY, guarded()));
    let slow = Script::ok(7).takes(ms(50)).on(&scene.time);
    let mut probe = scene.time.step(executor.run(KEY, |attempt| slow.call(attempt)));
    assert!(probe.poll().is_pending());
    for _ in 0..3 {
        let fine = Script::ok(8).on(&scene.time);
        let error = scene.time.run(executor.run(KEY, |attempt| fine.call(attempt))).unwrap_err();
        assert_eq!(error.stop_reason(), StopReason::CircuitHalfOpenProbeLimit);
        assert_eq!(fine.count(), 0);
    }
    assert_eq!(probe.run().ok(), Some(7));
    assert_eq!(executor.circuit_state(KEY), Some(CircuitState::Closed));
}

#[test]
fn an_aborted_probe_gives_its_slot_back() {
    let scene = Scene::new();
    let judge =
        FixedClassifier::new(Outcome::retryable("")).then(Outcome::abort("")).then(Outcome::success());
    let policy = guarded().classifier("judge");
    let executor = opened(&scene, scene.builder().classifier("judge", judge).policy(KEY, policy));
    let broken = Script::<u32>::fails(1).on(&scene.time);
    let error = scene.time.run(executor.run(KEY, |attempt| broken.call(attempt))).unwrap_err();
    assert_eq!(error.stop_reason(), StopReason::Abort);
    assert_eq!(executor.circuit_state(KEY), Some(CircuitState::HalfOpen));
    assert_recovers(&scene, &executor);
}

#[test]
fn a_probe_whose_operation_was_cancelled_gives_its_slot_back() {
    let scene = Scene::new();
    let executor = opened(&scene, scene.builder().policy(KEY, guarded()));
    let cancelled = scene.time.run(executor.run(KEY, |_| async { Err::<u32, _>(recourse::Cancelled) }));
    assert_eq!(cancelled.unwrap_err().stop_reason(), StopReason::Abort);
    assert_recovers(&scene, &executor);
}

#[test]
fn a_probe_that_a_budget_denies_gives_its_slot_back() {
    let scene = Scene::new();
    let budget = ScriptedBudget::allows(1).then_denies(1).then_allows(1);
    let builder = scene.builder().budget("b", budget.clone()).policy(KEY, guarded().retry_budget("b"));
    let executor = opened(&scene, builder);
    let fine = Script::ok(7).on(&scene.time);
    let error = scene.time.run(executor.run(KEY, |attempt| fine.call(attempt))).unwrap_err();
    assert_eq!(error.stop_reason(), StopReason::BudgetDenied);
    assert_recovers(&scene, &executor);
}

#[test]
fn a_probe_that_panics_gives_its_slot_back() {
    let scene = Scene::new();
    let executor = opened(&scene, scene.builder().policy(KEY, guarded()));
    let panics = Script::<u32>::panics("boom").takes(ms(1)).on(&scene.time);
    let call = executor.run(KEY, |attempt| panics.call(attempt));
    assert!(catch_unwind(AssertUnwindSafe(|| scene.time.run(call))).is_err());
    expect(&scene.observer.last_timeline()).stop("panic_in_operation").endings([Ending::Panicked]);
    assert_recovers(&scene, &executor);
}

#[test]
fn a_probe_whose_closure_panics_before_there_is_a_future_gives_its_slot_back() {
    let scene = Scene::new();
    let executor = opened(&scene, scene.builder().policy(KEY, guarded()));
    let call =
        executor.run(KEY, |_| -> std::future::Ready<Result<u32, recourse::Cancelled>> { panic!("early") });
    assert!(catch_unwind(AssertUnwindSafe(|| scene.time.run(call))).is_err());
    assert_recovers(&scene, &executor);
}

#[test]
fn hedging_is_off_while_half_open_and_a_hedge_never_takes_the_slot() {
    let scene = Scene::new();
    let policy = guarded().hedge_after(ms(10)).max_hedges(3);
    let executor = opened(&scene, scene.builder().policy(KEY, policy));
    let slow = Script::ok(7).takes(ms(100)).on(&scene.time);
    let (result, timeline) = scene.time.run(executor.call(KEY).run_captured(|attempt| slow.call(attempt)));
    assert_eq!((result.ok(), slow.count()), (Some(7), 1));
    expect(&timeline).success().hedges(0).attribute("hedging", "off_half_open");
}

#[test]
fn hedging_is_off_while_half_open_even_if_the_breaker_would_admit_hedges() {
    let scene = Scene::new();
    let breaker = ScriptedBreaker::admits(1).half_open();
    let policy = plain().hedge_after(ms(10)).max_hedges(3).circuit_breaker("c");
    let executor = built(scene.builder().circuit_breaker("c", breaker.clone()).policy(KEY, policy));
    let slow = Script::ok(7).takes(ms(100)).on(&scene.time);
    assert!(scene.time.run(executor.run(KEY, |attempt| slow.call(attempt))).is_ok());
    assert_eq!(breaker.asks(), [AttemptKind::Retry]);
    assert!(scene.time.sleeps().is_empty(), "there is no hedge to wait for");
}

#[test]
fn a_probe_of_a_policy_that_does_not_hedge_says_nothing_of_hedging() {
    let scene = Scene::new();
    let executor = opened(&scene, scene.builder().policy(KEY, guarded()));
    let fine = Script::ok(7).on(&scene.time);
    let (_, timeline) = scene.time.run(executor.call(KEY).run_captured(|attempt| fine.call(attempt)));
    expect(&timeline).success().no_attribute("hedging");
}

#[test]
fn a_hedge_that_meets_an_open_circuit_whose_cooldown_is_over_does_not_become_the_probe() {
    let scene = Scene::new();
    let policy = guarded().hedge_after(ms(150)).max_hedges(1);
    let executor = built(scene.builder().policy(KEY, policy));
    // Admitted while closed, and still running when another call opens the circuit.
    let slow = Script::ok(7).takes(ms(400)).on(&scene.time);
    let mut early = scene.time.step(executor.run(KEY, |attempt| slow.call(attempt)));
    assert!(early.poll().is_pending());
    open(&scene, &executor);
    assert_eq!(early.run().ok(), Some(7));
    assert_eq!(slow.count(), 1, "the hedge at 150 ms was refused");
    assert_eq!(executor.circuit_state(KEY), Some(CircuitState::Open), "and the old result changed nothing");
    assert_recovers(&scene, &executor);
}

#[test]
fn a_result_admitted_before_the_last_change_of_state_is_ignored() {
    for late_is_good in [true, false] {
        let scene = Scene::new();
        let executor = built(scene.builder().policy(KEY, guarded()));
        let script = if late_is_good { Script::ok(7) } else { Script::fails(1) };
        let late = script.takes(ms(150)).on(&scene.time);
        let mut early = scene.time.step(executor.run(KEY, |attempt| late.call(attempt)));
        assert!(early.poll().is_pending());
        open(&scene, &executor);

        let probed = Script::ok(7).takes(ms(200)).on(&scene.time);
        let mut probe = scene.time.step(executor.run(KEY, |attempt| probed.call(attempt)));
        assert!(probe.poll().is_pending());
        assert_eq!(early.run().is_ok(), late_is_good);
        assert_eq!(executor.circuit_state(KEY), Some(CircuitState::HalfOpen), "the late result changed it");
        assert_eq!(probe.run().ok(), Some(7));
        assert_eq!(executor.circuit_state(KEY), Some(CircuitState::Closed));
    }
}

#[test]
fn a_changed_threshold_or_cooldown_takes_effect_without_losing_state() {
    let scene = Scene::new();
    let policies = StaticProvider::new();
    let key = || recourse::Key::from_static(KEY);
    let policy = |threshold, cooldown| {
        Policy::new().jitter(Jitter::None).max_attempts(1).circuit(threshold, ms(cooldown))
    };
    policies.set(key(), policy(5, 60_000));
    let executor = built(scene.builder().provider(policies.clone()));
    let broken = Script::<u32>::fails(1).on(&scene.time);
    let run = || {
        let ended = scene.time.run(executor.run(KEY, |attempt| broken.call(attempt)));
        ended.unwrap_err().stop_reason()
    };
    run();
    run();
    policies.set(key(), policy(3, 60_000));
    assert_eq!(run(), StopReason::AttemptsExhausted);
    assert_eq!(executor.circuit_state(KEY), Some(CircuitState::Open), "the two failures before still count");
    scene.time.advance(ms(500));
    assert_eq!(run(), StopReason::CircuitOpen);
    policies.set(key(), policy(3, 500));
    assert_eq!(run(), StopReason::AttemptsExhausted, "the shorter cooldown is over: this was the probe");
    assert_eq!(broken.count(), 4);
}
