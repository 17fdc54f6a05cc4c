//! A budget that is not registered: fails closed, or lets attempts through unguarded and says so.

use crate::scene::{KEY, Scene, ms, plain};
use recourse::budget::Unlimited;
use recourse::{AttemptKind, DecisionMode, Executor, MissingBudget, Policy, StopReason};
use recourse_test::{Script, expect};

fn executor(scene: &Scene, mode: Option<MissingBudget>, policy: Policy) -> Executor {
    let builder = scene.builder().policy(KEY, policy).late_registration();
    mode.into_iter().fold(builder, |builder, mode| builder.missing_budget(mode)).build().unwrap()
}

#[test]
fn a_missing_retry_budget_ends_the_call_before_its_operation_runs() {
    for mode in [None, Some(MissingBudget::Deny)] {
        let scene = Scene::new();
        let operation = scene.fine();
        let executor = executor(&scene, mode, plain().retry_budget("retries").retry_cost(3));
        let (result, timeline) = scene.call(&executor, &operation);
        let error = result.unwrap_err();
        assert_eq!((error.stop_reason(), error.attempts()), (StopReason::BudgetNotFound, 0));
        assert_eq!((operation.count(), error.inner()), (0, None));
        expect(&timeline).failure().stop("budget_not_found").attempts(0);
        expect(&timeline)
            .endings(["denied"])
            .reasons(["budget_not_found"])
            .budget_reasons(["budget_not_found"]);
        assert!(!timeline.attempts()[0].budget_allowed);

        let events = scene.observer.budget_events();
        assert_eq!(events.len(), 1);
        let event = &events[0];
        assert_eq!((event.key.as_str(), event.attempt, event.kind), (KEY, 0, AttemptKind::Retry));
        assert_eq!((event.budget.as_str(), event.cost, event.mode), ("retries", 3, DecisionMode::Deny));
        assert_eq!((event.allowed, event.reason.as_str()), (false, "budget_not_found"));
    }
}

#[test]
fn the_error_names_the_budget_that_is_missing() {
    let scene = Scene::new();
    let builder = scene.builder().policy(KEY, plain().retry_budget("retires")).late_registration();
    let executor = builder.budget("retries", Unlimited).build().unwrap();
    let text = scene.failure(&executor).to_string();
    for part in [KEY, "budget_not_found", "retry.budget.name", "\"retires\"", "registered: retries"] {
        assert!(text.contains(part), "{text} lacks {part}");
    }
}

#[test]
fn a_missing_hedge_budget_launches_no_hedge_and_is_recorded_once_a_group() {
    let scene = Scene::new();
    let policy = plain().hedge_after(ms(10)).max_hedges(3).hedge_budget("hedges").max_attempts(2);
    let executor = executor(&scene, None, policy);
    let operation = Script::fails(1).then_ok(7).all_take(ms(500)).on(&scene.time);
    let (result, timeline) = scene.call(&executor, &operation);
    assert_eq!((result.unwrap(), operation.max_in_flight()), (7, 1));
    expect(&timeline).success().attempts(2).hedges(0).endings(["failed", "denied", "won", "denied"]);
    let denied: Vec<_> = timeline.attempts().iter().filter(|record| !record.budget_allowed).collect();
    assert!(denied.iter().all(|record| record.is_hedge && record.budget_reason == "budget_not_found"));
    let events = scene.observer.budget_events();
    assert!(events.iter().all(|event| event.kind == AttemptKind::Hedge && event.mode == DecisionMode::Deny));
    assert_eq!(events.len(), 2);
}

#[test]
fn a_missing_hedge_budget_of_a_call_that_is_not_slow_is_never_seen() {
    let scene = Scene::new();
    let executor = executor(&scene, None, plain().hedge_after(ms(10)).hedge_budget("hedges"));
    let (result, timeline) = scene.call(&executor, &scene.fine());
    assert_eq!(result.unwrap(), 7);
    expect(&timeline).endings(["won"]).budget_reasons(["no_budget"]);
}

#[test]
fn allow_unsafe_lets_attempts_through_and_still_records_that_the_budget_is_missing() {
    let scene = Scene::new();
    let policy = plain().retry_budget("retries").hedge_budget("hedges").hedge_after(ms(10)).max_hedges(1);
    let executor = executor(&scene, Some(MissingBudget::AllowUnsafe), policy.max_attempts(2));
    let operation = Script::fails(2).takes(ms(50)).then_ok(7).takes(ms(50)).on(&scene.time);
    let (result, timeline) = scene.call(&executor, &operation);
    assert_eq!(result.unwrap(), 7);
    expect(&timeline).attempts(4).hedges(2).budget_reasons(["budget_not_found"; 4]);
    assert!(timeline.attempts().iter().all(|record| record.budget_allowed));
    let events = scene.observer.budget_events();
    let seen: Vec<_> =
        events.iter().map(|event| (event.budget.as_str(), event.mode.as_str(), event.allowed)).collect();
    let [retry, hedge] = [("retries", "allow_unsafe", true), ("hedges", "allow_unsafe", true)];
    assert_eq!(seen, [retry, hedge, retry, hedge]);
}

#[test]
fn a_policy_without_a_budget_is_allowed_and_no_decision_is_told() {
    let scene = Scene::new();
    let executor = executor(&scene, None, plain());
    let (_, timeline) = scene.call(&executor, &scene.failing());
    expect(&timeline).attempts(3).budget_reasons(["no_budget"; 3]);
    assert!(scene.observer.budget_events().is_empty());
}

#[test]
fn one_that_is_registered_later_is_asked_by_the_next_call_and_one_taken_out_is_missing_again() {
    let scene = Scene::new();
    let executor = executor(&scene, None, plain().retry_budget("retries"));
    assert_eq!(scene.failure(&executor).stop_reason(), StopReason::BudgetNotFound);
    executor.budgets().register("retries", Unlimited).unwrap();
    assert_eq!(scene.attempts(&executor), 3);
    executor.budgets().remove("retries").unwrap();
    assert_eq!(scene.failure(&executor).stop_reason(), StopReason::BudgetNotFound);
}
