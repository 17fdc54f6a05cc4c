//! A budget that nothing is registered under fails closed, unless the builder says otherwise.

use crate::stage::{KEY, Stage, ms, plain};
use recourse::budget::Unlimited;
use recourse::{AttemptKind, DecisionMode, Executor, MissingBudget, StopReason};
use recourse_test::{Script, expect};

use AttemptKind::{Hedge, Retry};

/// Attempt, kind, mode, whether it was allowed, and why.
fn decisions(stage: &Stage) -> Vec<(u32, AttemptKind, DecisionMode, bool, String)> {
    let events = stage.observer.budget_events().into_iter();
    events.map(|e| (e.attempt, e.kind, e.mode, e.allowed, e.reason.to_string())).collect()
}

#[test]
fn a_missing_retry_budget_ends_the_call_before_its_operation_runs() {
    let stage = Stage::with(plain().retry_budget("nowhere"), |builder| builder.late_registration());
    let played = stage.play(Script::ok(7));
    assert_eq!(played.operation.count(), 0);
    expect(&played.timeline)
        .failure()
        .stop("budget_not_found")
        .endings(["denied"])
        .budget_reasons(["budget_not_found"])
        .attempts(0)
        .well_formed();
    assert!(!played.timeline.attempts()[0].budget_allowed);
    let denied = (0, Retry, DecisionMode::Deny, false, "budget_not_found".to_owned());
    assert_eq!(decisions(&stage), [denied]);
    let error = played.error();
    assert_eq!((error.stop_reason(), error.attempts()), (StopReason::BudgetNotFound, 0));
    assert!(error.into_inner().is_none());
}

#[test]
fn the_error_names_the_budget_that_is_missing() {
    let stage = Stage::with(plain().retry_budget("nowhere"), |builder| builder.late_registration());
    let error = stage.play(Script::ok(7)).error();
    assert!(error.to_string().contains("nowhere"), "an on-call engineer needs its name: {error}");
}

#[test]
fn with_allow_unsafe_the_attempts_go_through_and_the_records_say_so() {
    let stage = Stage::with(plain().max_attempts(2).retry_budget("nowhere"), |builder| {
        builder.missing_budget(MissingBudget::AllowUnsafe)
    });
    let played = stage.play(Script::<u32>::fails(9));
    expect(&played.timeline)
        .stop("attempts_exhausted")
        .endings(["failed"; 2])
        .budget_reasons(["budget_not_found"; 2]);
    assert!(played.timeline.attempts().iter().all(|record| record.budget_allowed));
    let through = |attempt| (attempt, Retry, DecisionMode::AllowUnsafe, true, "budget_not_found".to_owned());
    assert_eq!(decisions(&stage), [through(0), through(1)]);
}

#[test]
fn a_missing_hedge_budget_launches_no_hedges_and_is_recorded_once_a_group() {
    let policy = plain().max_attempts(2).hedge_after(ms(10)).max_hedges(3).hedge_budget("nowhere");
    let stage = Stage::with(policy, |builder| builder.late_registration());
    let played = stage.play(Script::fails(1).takes(ms(55)).then_ok(7).takes(ms(55)));
    expect(&played.timeline)
        .success()
        .endings(["failed", "denied", "won", "denied"])
        .budget_reasons(["no_budget", "budget_not_found", "no_budget", "budget_not_found"])
        .hedges(0)
        .took(ms(120))
        .well_formed();
    let denied = |attempt| (attempt, Hedge, DecisionMode::Deny, false, "budget_not_found".to_owned());
    assert_eq!(decisions(&stage), [denied(0), denied(1)]);
    assert!(stage.observer.hedge_spawns().is_empty());
}

#[test]
fn a_missing_hedge_budget_with_allow_unsafe_launches_hedges() {
    let policy = plain().hedge_after(ms(10)).max_hedges(1).hedge_budget("nowhere");
    let stage = Stage::with(policy, |builder| builder.missing_budget(MissingBudget::AllowUnsafe));
    let played = stage.play(Script::never().then_ok(7));
    expect(&played.timeline).endings(["superseded", "won"]).budget_reasons(["no_budget", "budget_not_found"]);
    let through = (0, Hedge, DecisionMode::AllowUnsafe, true, "budget_not_found".to_owned());
    assert_eq!(decisions(&stage), [through]);
}

#[test]
fn a_missing_hedge_budget_without_hedging_is_no_matter() {
    let stage = Stage::new(plain().hedge_budget("nowhere"));
    expect(&stage.play(Script::ok(7)).timeline).success();
}

#[test]
fn the_builder_names_a_missing_budget_and_its_place() {
    let policy = plain().retry_budget("nowhere").hedge_after(ms(10)).hedge_budget("elsewhere");
    let error = Executor::builder().policy(KEY, policy.clone()).build().unwrap_err();
    let message = error.to_string();
    for part in [KEY, "retry.budget.name", "nowhere", "hedge.budget.name", "elsewhere"] {
        assert!(message.contains(part), "{part} is not in: {message}");
    }
    assert_eq!(error.problems().len(), 2);
    let explicit = Executor::builder().policy(KEY, policy).missing_budget(MissingBudget::Deny);
    assert!(explicit.build().is_ok(), "who sets the mode knows");
}

#[test]
fn a_budget_that_is_registered_later_is_used_from_the_next_call_on() {
    let stage = Stage::with(plain().retry_budget("later"), |builder| builder.late_registration());
    expect(&stage.play(Script::ok(7)).timeline).stop("budget_not_found");
    stage.executor.budgets().register("later", Unlimited).unwrap();
    expect(&stage.play(Script::ok(7)).timeline).success().budget_reasons(["allowed"]);
}
