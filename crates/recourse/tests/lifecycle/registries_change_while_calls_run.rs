//! Plugins and policies may change while calls run: a running call keeps its plan, the next one sees the change.

use crate::scene::{KEY, Scene, built, ms, plain};
use recourse::{
    AttemptEnd, Budget, BudgetRequest, CircuitMode, CircuitState, Decision, ExecutorBuilder, Key, Outcome,
    Registry, StaticProvider, StopReason,
};
use recourse_test::{FixedClassifier, Script, ScriptedBudget, expect};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

fn judged(scene: &Scene) -> ExecutorBuilder {
    scene.builder().classifier("judge", FixedClassifier::new(Outcome::retryable("first")))
}

#[test]
fn a_running_call_keeps_its_plugins_and_the_next_one_has_the_new_ones() {
    let scene = Scene::new();
    let executor = built(judged(&scene).policy(KEY, plain().classifier("judge")));
    let operation = Script::<u32>::fails(1).takes(ms(5)).on(&scene.time);
    let mut running = scene.time.step(executor.run(KEY, |attempt| operation.call(attempt)));
    assert!(running.poll().is_pending());
    let replaced = executor.classifiers().replace("judge", FixedClassifier::new(Outcome::abort("second")));
    assert!(replaced.is_ok_and(|before| before.is_some()));
    let error = running.run().unwrap_err();
    assert_eq!((error.attempts(), error.outcome_reason()), (3, "first"));
    let error = scene.time.run(executor.run(KEY, |attempt| operation.call(attempt))).unwrap_err();
    assert_eq!((error.attempts(), error.outcome_reason()), (1, "second"));
}

#[test]
fn a_handle_sees_every_change_too() {
    let scene = Scene::new();
    let policies = StaticProvider::new();
    let key = || Key::from_static(KEY);
    policies.set(key(), plain().max_attempts(1));
    let executor = built(scene.builder().provider(policies.clone()));
    let handle = executor.handle(KEY).unwrap();
    let operation = Script::<u32>::fails(1).on(&scene.time);
    let run = || scene.time.run(handle.run(|attempt| operation.call(attempt))).unwrap_err();
    assert_eq!(run().attempts(), 1);
    policies.set(key(), plain().max_attempts(4));
    assert_eq!(run().attempts(), 4);
    policies.remove(&key());
    assert_eq!(run().stop_reason(), StopReason::NoPolicy);
    policies.set_default(Some(plain().max_attempts(2)));
    assert_eq!(run().attempts(), 2);
}

#[test]
fn a_budget_that_is_taken_out_is_missing_at_the_next_call_and_one_that_comes_back_is_there() {
    let scene = Scene::new();
    let budgets = Registry::<dyn Budget>::new();
    let builder = scene.builder().budgets(budgets.clone()).late_registration();
    let executor = built(builder.policy(KEY, plain().retry_budget("b")));
    let operation = Script::ok(7).on(&scene.time);
    let run = || {
        let ended = scene.time.run(executor.run(KEY, |attempt| operation.call(attempt)));
        ended.err().map(|error| error.stop_reason())
    };
    assert_eq!(run(), Some(StopReason::BudgetNotFound));
    budgets.register("b", ScriptedBudget::allows(1)).unwrap();
    assert_eq!(run(), None);
    assert!(budgets.remove("b").is_some());
    assert_eq!(run(), Some(StopReason::BudgetNotFound));
}

#[test]
fn a_permit_goes_back_to_the_budget_that_gave_it_out() {
    let scene = Scene::new();
    let (old, new) = (ScriptedBudget::allows(1), ScriptedBudget::allows(1));
    let builder = scene.builder().budget("b", old.clone());
    let executor = built(builder.policy(KEY, plain().retry_budget("b")));
    let operation = Script::fails(1).takes(ms(5)).then_ok(7).on(&scene.time);
    let mut running = scene.time.step(executor.run(KEY, |attempt| operation.call(attempt)));
    assert!(running.poll().is_pending());
    assert!(executor.budgets().replace("b", new.clone()).is_ok());
    assert_eq!(running.run().ok(), Some(7));
    assert_eq!((old.asks().len(), old.outstanding(), new.asks().len()), (2, 0, 0));
}

#[test]
fn a_new_budget_or_policy_keeps_the_circuit() {
    let scene = Scene::new();
    let policies = StaticProvider::new();
    let policy = || plain().max_attempts(1).circuit(1, ms(10_000)).retry_budget("b");
    policies.set(Key::from_static(KEY), policy());
    let builder = scene.builder().provider(policies.clone()).budget("b", ScriptedBudget::allows(1));
    let executor = built(builder);
    let operation = Script::<u32>::fails(1).on(&scene.time);
    let run = || {
        let ended = scene.time.run(executor.run(KEY, |attempt| operation.call(attempt)));
        ended.unwrap_err().stop_reason()
    };
    run();
    assert!(executor.budgets().replace("b", ScriptedBudget::allows(1)).is_ok());
    policies.set(Key::from_static(KEY), policy().max_attempts(2));
    assert_eq!(run(), StopReason::CircuitOpen);
    assert_eq!(executor.circuit_state(KEY), Some(CircuitState::Open));
}

#[test]
fn threads_may_change_everything_while_others_call() {
    let scene = Scene::new();
    let policies = StaticProvider::new();
    policies.set_default(Some(plain().max_attempts(2).retry_budget("b").classifier("judge")));
    let judge = || FixedClassifier::new(Outcome::success());
    let builder = scene.builder().provider(policies.clone()).budget("b", ScriptedBudget::allows(1));
    let executor = built(builder.classifier("judge", judge()).late_registration());
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut turn = 0;
            while !over.load(Ordering::Relaxed) {
                turn += 1;
                let _ = executor.classifiers().replace("judge", judge());
                let _ = executor.budgets().replace("b", ScriptedBudget::allows(1));
                policies.set_default(Some(
                    plain().max_attempts(1 + turn % 3).retry_budget("b").classifier("judge"),
                ));
            }
        });
        let callers: Vec<_> = (0..3)
            .map(|caller| {
                let executor = &executor;
                scope.spawn(move || {
                    for call in 0..500 {
                        let key = ["a.X", "b.X", "c.X"][(caller + call) % 3];
                        let ready = executor.run(key, |_| async { Ok::<_, std::io::Error>(call) });
                        assert_eq!(futures::executor::block_on(ready).ok(), Some(call));
                    }
                })
            })
            .collect();
        let ended: Vec<bool> = callers.into_iter().map(|caller| caller.join().is_ok()).collect();
        over.store(true, Ordering::Relaxed);
        assert_eq!(ended, [true; 3]);
    });
    scene.observer.assert_one_end_per_start();
    assert_eq!(scene.observer.successes().len(), 1_500);
}

#[test]
fn a_classifier_registered_late_is_used_from_then_on() {
    let scene = Scene::new();
    let executor = built(scene.builder().late_registration().policy(KEY, plain().classifier("judge")));
    let operation = Script::fails(1).then_ok(7).on(&scene.time);
    let (result, timeline) =
        scene.time.run(executor.call(KEY).run_captured(|attempt| operation.call(attempt)));
    assert_eq!(result.ok(), Some(7));
    expect(&timeline).success().attempts(2);
    let notes = &timeline.attempts()[0].outcome.attributes;
    assert_eq!(notes.get("classifier_not_found"), Some("true"));
    executor.classifiers().register("judge", FixedClassifier::new(Outcome::abort("late"))).unwrap();
    let operation = Script::<u32>::fails(1).on(&scene.time);
    let error = scene.time.run(executor.run(KEY, |attempt| operation.call(attempt))).unwrap_err();
    assert_eq!(error.outcome_reason(), "late");
}

#[test]
fn a_mode_that_was_set_stays_where_another_kind_of_breaker_takes_the_place() {
    use recourse::circuit::consecutive_failures;
    let scene = Scene::new();
    let builder = scene.builder().circuit_breaker("mine", consecutive_failures);
    let executor = built(builder.policy(KEY, plain().circuit_breaker("mine")));
    let operation = Script::ok(7).on(&scene.time);
    let run = || scene.time.run(executor.run(KEY, |attempt| operation.call(attempt)));
    assert_eq!(run().ok(), Some(7));
    assert!(executor.set_circuit_mode(KEY, CircuitMode::ForcedOpen));
    assert!(executor.circuit_breakers().replace("mine", consecutive_failures).is_ok());
    assert_eq!(run().unwrap_err().stop_reason(), StopReason::CircuitOpen);
    assert!(executor.set_circuit_mode(KEY, CircuitMode::Enforcing));
    assert_eq!(run().ok(), Some(7));
}

#[test]
fn a_kind_that_observes_gives_way_to_one_that_enforces() {
    use recourse::circuit::{Observing, consecutive_failures};
    let scene = Scene::new();
    let builder = scene.builder().circuit_breaker("mine", Observing::new(consecutive_failures));
    let policy = plain().max_attempts(1).circuit(1, ms(60_000)).circuit_breaker("mine");
    let executor = built(builder.policy(KEY, policy));
    let operation = Script::<u32>::fails(9).on(&scene.time);
    let run =
        || scene.time.run(executor.run(KEY, |attempt| operation.call(attempt))).unwrap_err().stop_reason();
    assert_eq!([run(), run()], [StopReason::AttemptsExhausted; 2]);
    assert_eq!(executor.circuit_state(KEY), Some(CircuitState::Open));
    assert!(executor.circuit_breakers().replace("mine", consecutive_failures).is_ok());
    assert_eq!([run(), run()], [StopReason::AttemptsExhausted, StopReason::CircuitOpen]);
}

/// Its first answer about outcomes is a panic.
#[derive(Default)]
struct Shy {
    was_asked: AtomicBool,
    ends: AtomicUsize,
}

impl Budget for Shy {
    fn allow_attempt(&self, _: &BudgetRequest<'_>) -> Decision {
        Decision::allow()
    }
    fn on_outcome(&self, _: &AttemptEnd<'_>) {
        self.ends.fetch_add(1, Ordering::Relaxed);
    }
    fn wants_outcomes(&self) -> bool {
        assert!(self.was_asked.swap(true, Ordering::Relaxed), "on purpose");
        true
    }
}

#[test]
fn a_budget_that_panicked_when_it_was_bound_hears_of_every_end_all_the_same() {
    let (scene, shy) = (Scene::new(), Arc::new(Shy::default()));
    let executor = built(scene.builder().budget("shy", shy.clone()).policy(KEY, plain().retry_budget("shy")));
    let operation = Script::ok(7).on(&scene.time);
    for _ in 0..3 {
        assert_eq!(scene.time.run(executor.run(KEY, |attempt| operation.call(attempt))).ok(), Some(7));
    }
    assert_eq!(shy.ends.load(Ordering::Relaxed), 3);
}
