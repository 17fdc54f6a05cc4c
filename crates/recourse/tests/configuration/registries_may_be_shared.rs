//! A registry is an object of its own: executors may share it, and changes reach all of them.

use crate::scene::{KEY, Scene, ms, plain};
use recourse::{
    BreakerFactory, Budget, CircuitState, Classifier, Executor, HedgeDecision, HedgeTrigger, Outcome, Policy,
    Problem, Registry, RegistryError, StopReason,
};
use recourse_test::{FixedClassifier, Script, ScriptedBreaker, ScriptedBudget, ScriptedTrigger};

fn judge(reason: &'static str) -> FixedClassifier {
    FixedClassifier::new(Outcome::abort(reason))
}

#[test]
fn executors_that_share_a_registry_see_each_others_changes() {
    let scene = Scene::new();
    let budgets = Registry::<dyn Budget>::new();
    let build = || {
        let builder = scene.builder().budgets(budgets.clone()).late_registration();
        builder.policy(KEY, plain().retry_budget("retries")).build().unwrap()
    };
    let executors: [Executor; 2] = [build(), build()];
    let ends = || executors.each_ref().map(|executor| scene.failure(executor).stop_reason());
    assert_eq!(ends(), [StopReason::BudgetNotFound; 2]);

    let shared = ScriptedBudget::allows(1);
    executors[0].budgets().register("retries", shared.clone()).unwrap();
    assert_eq!(ends(), [StopReason::AttemptsExhausted; 2]);
    assert_eq!(shared.asks().len(), 6);
    budgets.replace("retries", ScriptedBudget::denies(1)).unwrap().unwrap();
    assert_eq!(ends(), [StopReason::BudgetDenied; 2]);
    executors[1].budgets().remove("retries").unwrap();
    assert_eq!(ends(), [StopReason::BudgetNotFound; 2]);
}

#[test]
fn a_shared_registry_gets_the_builtin_plugins_that_it_lacks_and_keeps_its_own() {
    let scene = Scene::new();
    let classifiers = Registry::<dyn Classifier>::new();
    classifiers.register("http", judge("own_http")).unwrap();
    let builder = || scene.builder().classifiers(classifiers.clone()).policy(KEY, plain().classifier("http"));
    let (first, second) = (builder().build().unwrap(), builder().build().unwrap());
    assert_eq!(classifiers.names(), ["always", "auto", "grpc", "http"]);
    for executor in [&first, &second] {
        assert_eq!(scene.failure(executor).outcome_reason(), "own_http");
    }
}

#[test]
fn a_shared_registry_of_triggers_and_breakers_gets_the_builtin_ones_too() {
    let triggers = Registry::<dyn HedgeTrigger>::new();
    triggers.register("p95", ScriptedTrigger::new(HedgeDecision::never())).unwrap();
    let breakers = Registry::<dyn BreakerFactory>::new();
    let builder = Executor::builder().hedge_triggers(triggers.clone()).circuit_breakers(breakers.clone());
    let executor = builder.circuit_breaker("ratio", ScriptedBreaker::admits(1)).build().unwrap();
    assert_eq!(triggers.names(), ["fixed_delay", "fixed_delay_within_deadline", "p50", "p90", "p95", "p99"]);
    let builtin = ["consecutive_failures", "failure_ratio_count", "failure_ratio_time"];
    assert_eq!(breakers.names(), [&builtin[..], &["ratio", "slow_calls"]].concat());
    assert_eq!(executor.circuit_breakers().names(), breakers.names());
}

#[test]
fn executors_without_a_shared_registry_have_one_each() {
    let (first, second) = (Executor::builder().build().unwrap(), Executor::builder().build().unwrap());
    first.classifiers().register("mine", judge("x")).unwrap();
    assert!(second.classifiers().get("mine").is_none());
    assert_eq!(second.classifiers().names(), ["always", "auto", "grpc", "http"]);
    assert!(second.budgets().names().is_empty());
}

#[test]
fn a_name_that_a_shared_registry_holds_already_is_a_clash() {
    let budgets = Registry::<dyn Budget>::new();
    let build =
        || Executor::builder().budgets(budgets.clone()).budget("retries", ScriptedBudget::allows(1)).build();
    build().unwrap();
    let error = build().unwrap_err();
    let clash = Problem::Registry { kind: "budget", error: RegistryError::Taken("retries".into()) };
    assert_eq!(error.problems(), [clash]);
}

#[test]
fn register_refuses_and_replace_overrides_a_builtin_plugin() {
    let scene = Scene::new();
    let executor = scene.executor(plain().classifier("always"));
    let refused = executor.classifiers().register("always", judge("mine")).unwrap_err();
    assert_eq!(refused, RegistryError::Taken("always".into()));
    assert_eq!(executor.classifiers().register("", judge("mine")), Err(RegistryError::EmptyName));
    assert_eq!(scene.failure(&executor).stop_reason(), StopReason::AttemptsExhausted);
    executor.classifiers().replace("always", judge("mine")).unwrap().unwrap();
    assert_eq!(scene.failure(&executor).outcome_reason(), "mine");
}

#[test]
fn clones_of_an_executor_share_registries_and_state() {
    let scene = Scene::new();
    let executor = scene.executor(plain().max_attempts(1).circuit(1, ms(1_000)));
    let clone = executor.clone();
    scene.failure(&clone);
    assert_eq!(executor.circuit_state(KEY), Some(CircuitState::Open));
    clone.budgets().register("retries", ScriptedBudget::allows(1)).unwrap();
    assert_eq!(executor.budgets().names(), ["retries"]);
}

#[test]
fn a_breaker_of_one_executor_is_not_that_of_another_even_with_a_shared_registry() {
    let scene = Scene::new();
    let breakers = Registry::<dyn BreakerFactory>::new();
    let policy = || Policy::new().max_attempts(1).circuit(1, ms(1_000));
    let build = || scene.builder().circuit_breakers(breakers.clone()).policy(KEY, policy()).build().unwrap();
    let (first, second) = (build(), build());
    scene.failure(&first);
    assert_eq!((first.circuit_state(KEY), second.circuit_state(KEY)), (Some(CircuitState::Open), None));
}

#[test]
fn registries_may_be_changed_by_other_threads_while_calls_run() {
    let scene = Scene::new();
    let builder = scene.builder().policy(KEY, plain().max_attempts(2).retry_budget("retries"));
    let executor = builder.budget("retries", ScriptedBudget::allows(1)).build().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..500 {
                executor.budgets().replace("retries", ScriptedBudget::allows(1)).unwrap().unwrap();
            }
        });
        for _ in 0..500 {
            let operation = Script::fails(1).then_ok(7).on(&scene.time);
            assert_eq!(scene.call(&executor, &operation).0.unwrap(), 7);
        }
    });
}
