//! A denied retry ends the call with the previous attempt's own error, and where it is foreseen, without the wait.

use crate::stage::{KEY, Stage, ms, plain};
use recourse::{Component, OutcomeKind, StopReason};
use recourse_test::{Panicking, PluginMethod, Script, ScriptedBudget, expect};

fn stage(budget: &ScriptedBudget) -> Stage {
    Stage::with(plain().retry_budget("b"), |builder| builder.budget("b", budget.clone()))
}

#[test]
fn a_denial_that_is_foreseen_ends_the_call_without_the_wait() {
    let budget = ScriptedBudget::allows(1).then_denies(1);
    let stage = stage(&budget);
    let played = stage.play(Script::<u32>::fails(9));
    expect(&played.timeline)
        .failure()
        .stop("budget_denied")
        .endings(["failed", "denied"])
        .indices([(0, 0), (1, 0)])
        .budget_reasons(["allowed", "budget_denied"])
        .error("scripted failure 0")
        .attempts(1)
        .took(ms(0))
        .well_formed();
    assert!(stage.time.sleeps().is_empty());
    assert_eq!((budget.asks().len(), budget.peeks().len()), (1, 1), "the peek is the one decision");
    assert_eq!(stage.observer.budget_events().len(), 2);
    let error = played.error();
    assert_eq!((error.stop_reason(), error.attempts()), (StopReason::BudgetDenied, 1));
    assert_eq!(error.into_inner().unwrap().number, 0);
}

#[test]
fn a_denial_that_is_not_foreseen_comes_after_the_wait() {
    let budget = ScriptedBudget::allows(1).then_denies(1).without_peek();
    let stage = stage(&budget);
    let played = stage.play(Script::<u32>::fails(9));
    expect(&played.timeline)
        .stop("budget_denied")
        .endings(["failed", "denied"])
        .backoffs([ms(10)])
        .error("scripted failure 0")
        .well_formed();
    assert_eq!((stage.time.sleeps(), budget.asks().len()), (vec![ms(10)], 2));
    assert_eq!(played.operation.count(), 1);
    assert_eq!(played.error().into_inner().unwrap().number, 0);
}

#[test]
fn a_denied_attempt_is_a_record_but_no_attempt() {
    let played = stage(&ScriptedBudget::allows(1).then_denies(1)).play(Script::<u32>::fails(9));
    let record = &played.timeline.attempts()[1];
    assert!(!record.budget_allowed);
    assert_eq!((record.outcome.kind, record.outcome.reason.as_str()), (OutcomeKind::Abort, "budget_denied"));
    assert_eq!((record.error.as_ref(), record.duration()), (None, ms(0)));
    let error = played.error();
    assert!(error.to_string().contains("budget_denied after 1 attempt"), "{error}");
}

#[test]
fn the_budgets_own_reason_stands_in_the_timeline() {
    let budget = ScriptedBudget::allows(1).then_denies(1).with_reason("night_shift");
    let played = stage(&budget).play(Script::<u32>::fails(9));
    expect(&played.timeline)
        .stop("budget_denied")
        .reasons(["retryable_error", "night_shift"])
        .budget_reasons(["allowed", "night_shift"]);
}

#[test]
fn a_budget_may_deny_the_first_attempt_too() {
    let budget = ScriptedBudget::denies(1);
    let played = stage(&budget).play(Script::ok(7));
    expect(&played.timeline).failure().stop("budget_denied").endings(["denied"]).attempts(0).well_formed();
    assert_eq!((played.operation.count(), budget.peeks().len()), (0, 0));
    let error = played.error();
    assert_eq!(error.attempts(), 0);
    assert!(error.into_inner().is_none());
}

#[test]
fn a_later_retry_can_be_denied() {
    let budget = ScriptedBudget::allows(2).then_denies(1);
    let stage = stage(&budget);
    let played = stage.play(Script::<u32>::fails(9));
    expect(&played.timeline).stop("budget_denied").endings(["failed", "failed", "denied"]);
    assert_eq!(stage.time.sleeps(), [ms(10)]);
    assert_eq!(played.error().into_inner().unwrap().number, 1);
}

#[test]
fn a_circuit_that_stays_open_longer_than_the_wait_ends_the_call_without_it() {
    let stage = Stage::new(plain().circuit(1, ms(1_000)));
    let played = stage.play(Script::<u32>::fails(9));
    expect(&played.timeline).stop("circuit_open").attempts(1).took(ms(0)).attribute("circuit_state", "open");
    assert!(stage.time.sleeps().is_empty());
    assert_eq!(played.error().into_inner().unwrap().number, 0);
}

#[test]
fn a_circuit_that_may_be_tried_after_the_wait_does_not_end_the_call() {
    let stage = Stage::new(plain().backoff(ms(200), ms(200)).circuit(1, ms(100)));
    let played = stage.play(Script::fails(1).then_ok(7));
    expect(&played.timeline).success().backoffs([ms(200)]);
    assert_eq!(played.result.unwrap(), 7);
}

#[test]
fn a_budget_that_panics_denies() {
    let budget = Panicking::only_in([PluginMethod::AllowAttempt]);
    let stage = Stage::with(plain().retry_budget("b"), |builder| builder.budget("b", budget));
    let played = stage.play(Script::ok(7));
    expect(&played.timeline).stop("panic_in_budget").endings(["denied"]).budget_reasons(["panic_in_budget"]);
    let events = stage.observer.budget_events();
    assert!(events.len() == 1 && !events[0].allowed && events[0].reason == "panic_in_budget");
    assert_eq!(stage.executor.plugin_panics().count(Component::Budget), 1);
    assert_eq!(played.error().stop_reason(), StopReason::PanicIn(Component::Budget));
}

#[test]
fn the_error_of_a_budget_that_panicked_says_what_the_panic_said() {
    let budget = Panicking::only_in([PluginMethod::AllowAttempt]);
    let stage = Stage::with(plain().retry_budget("b"), |builder| builder.budget("b", budget));
    let error = stage.play(Script::ok(7)).error();
    let cause = error.cause().map(ToString::to_string);
    assert_eq!(cause.as_deref(), Some("panic in budget: scripted panic in allow_attempt"));
}

#[test]
fn a_peek_that_panics_is_a_denial_and_saves_the_wait() {
    let budget = Panicking::only_in([PluginMethod::WouldDeny]);
    let stage = Stage::with(plain().retry_budget("b"), |builder| builder.budget("b", budget));
    let played = stage.play(Script::fails(1).then_ok(7));
    expect(&played.timeline).stop(StopReason::PanicIn(Component::Budget));
    assert_eq!(played.timeline.attempts()[1].budget_reason, "panic_in_budget");
    assert_eq!(stage.executor.plugin_panics().count(Component::Budget), 1);
    let error = played.error();
    assert_eq!(error.attempts(), 1);
    assert_eq!(error.into_inner().unwrap().number, 0);
}

#[test]
fn the_same_denial_is_told_without_anyone_watching() {
    let budget = ScriptedBudget::allows(1).then_denies(1);
    let time = recourse_test::VirtualTime::new();
    let builder = recourse::Executor::builder().clock(time.clone()).sleeper(time.clone());
    let executor = builder.policy(KEY, plain().retry_budget("b")).budget("b", budget).build().unwrap();
    let operation = Script::<u32>::fails(9).on(&time);
    let error = time.run(executor.run(KEY, |attempt| operation.call(attempt))).unwrap_err();
    assert_eq!((error.stop_reason(), error.attempts()), (StopReason::BudgetDenied, 1));
    assert_eq!(error.into_inner().unwrap().number, 0);
}
