//! A budget is asked once about every attempt, at the moment at which it would start, after the breaker.

use crate::stage::{KEY, Stage, ms, plain};
use recourse::{AttemptKind, DecisionMode, Policy};
use recourse_test::{Script, ScriptedBreaker, ScriptedBudget, expect};
use std::time::Duration;

use AttemptKind::{Hedge, Retry};

fn stage(policy: Policy, budget: &ScriptedBudget) -> Stage {
    Stage::with(policy, |builder| builder.budget("b", budget.clone()))
}

#[test]
fn every_attempt_is_asked_about_the_first_included() {
    let budget = ScriptedBudget::allows(1);
    let stage = stage(plain().retry_budget("b").retry_cost(3), &budget);
    let played = stage.play(Script::fails(2).then_ok(7));
    expect(&played.timeline).success().budget_reasons(["allowed"; 3]);
    let asks: Vec<_> = budget.asks().into_iter().map(|ask| (ask.attempt, ask.kind, ask.cost)).collect();
    assert_eq!(asks, [(0, Retry, 3), (1, Retry, 3), (2, Retry, 3)]);
    assert!(budget.asks().iter().all(|ask| ask.key.as_str() == KEY && ask.allowed));
}

#[test]
fn before_each_wait_it_is_asked_whether_it_would_deny() {
    let budget = ScriptedBudget::allows(1);
    let stage = stage(plain().retry_budget("b").retry_cost(3), &budget);
    stage.play(Script::<u32>::fails(9));
    let peeks: Vec<_> = budget.peeks().into_iter().map(|peek| (peek.attempt, peek.kind, peek.cost)).collect();
    assert_eq!(peeks, [(1, Retry, 3), (2, Retry, 3)], "not before the first, nor behind the last");
}

#[test]
fn hedges_are_asked_about_under_their_own_budget_and_cost() {
    let (retries, hedges) = (ScriptedBudget::allows(1), ScriptedBudget::allows(1));
    let policy = plain().retry_budget("r").retry_cost(2).hedge_budget("h").hedge_cost(5);
    let stage = Stage::with(policy.hedge_after(ms(10)).max_hedges(2), |builder| {
        builder.budget("r", retries.clone()).budget("h", hedges.clone())
    });
    stage.play(Script::never().then_never().then_ok(7));
    let asks = |budget: &ScriptedBudget| -> Vec<_> {
        budget.asks().into_iter().map(|ask| (ask.attempt, ask.kind, ask.cost)).collect()
    };
    assert_eq!(asks(&retries), [(0, Retry, 2)]);
    assert_eq!(asks(&hedges), [(0, Hedge, 5), (0, Hedge, 5)]);
    assert!(hedges.peeks().is_empty(), "a hedge follows no wait");
}

#[test]
fn a_hedge_is_not_asked_about_before_it_would_start() {
    let budget = ScriptedBudget::allows(1);
    let stage = stage(plain().hedge_budget("b").hedge_after(ms(10)), &budget);
    stage.play(Script::ok(7).takes(ms(9)));
    assert!(budget.asks().is_empty());
}

#[test]
fn one_budget_named_in_both_places_is_one_budget() {
    let budget = ScriptedBudget::allows(1);
    let stage = stage(plain().retry_budget("b").hedge_budget("b").hedge_after(ms(10)).max_hedges(1), &budget);
    stage.play(Script::never().then_ok(7));
    let kinds: Vec<_> = budget.asks().into_iter().map(|ask| ask.kind).collect();
    assert_eq!(kinds, [Retry, Hedge]);
}

#[test]
fn it_is_told_how_much_time_is_left() {
    let budget = ScriptedBudget::allows(1);
    let stage = stage(plain().retry_budget("b").overall_timeout(ms(100)), &budget);
    stage.play(Script::<u32>::fails(3).takes(ms(15)));
    let left = |asks: Vec<recourse_test::BudgetAsk>| -> Vec<Option<Duration>> {
        asks.into_iter().map(|ask| ask.time_left).collect()
    };
    assert_eq!(left(budget.asks()), [100, 75, 40].map(|left| Some(ms(left))));
    assert_eq!(left(budget.peeks()), [85, 60].map(|left| Some(ms(left))));
}

#[test]
fn without_a_deadline_no_time_is_left_to_tell() {
    let budget = ScriptedBudget::allows(1);
    stage(plain().retry_budget("b").timeout_per_attempt(ms(5)), &budget).play(Script::fails(1).then_ok(7));
    assert!(budget.asks().iter().all(|ask| ask.time_left.is_none()));
}

#[test]
fn an_attempt_that_the_breaker_rejects_is_not_asked_about() {
    let (breaker, budget) = (ScriptedBreaker::rejects(1), ScriptedBudget::allows(1));
    let stage = Stage::with(plain().circuit_breaker("s").retry_budget("b"), |builder| {
        builder.circuit_breaker("s", breaker.clone()).budget("b", budget.clone())
    });
    let played = stage.play(Script::ok(7));
    expect(&played.timeline).stop("circuit_open").attempts(0);
    assert_eq!((breaker.asks().len(), budget.asks().len()), (1, 0));
    assert!(stage.observer.budget_events().is_empty());
}

#[test]
fn what_the_breaker_admitted_is_given_back_when_the_budget_denies() {
    let (breaker, budget) =
        (ScriptedBreaker::admits(1), ScriptedBudget::allows(1).then_denies(1).without_peek());
    let stage = Stage::with(plain().circuit_breaker("s").retry_budget("b"), |builder| {
        builder.circuit_breaker("s", breaker.clone()).budget("b", budget.clone())
    });
    expect(&stage.play(Script::<u32>::fails(9)).timeline).stop("budget_denied").endings(["failed", "denied"]);
    breaker.assert_all_reported();
    assert_eq!(breaker.votes(), [recourse::Health::Down, recourse::Health::None]);
}

#[test]
fn a_policy_without_a_budget_allows_and_says_so() {
    let stage = Stage::new(plain().hedge_after(ms(10)).max_hedges(1));
    let played = stage.play(Script::fails(1).then_never().then_ok(7));
    expect(&played.timeline).budget_reasons(["no_budget"; 3]);
    assert!(stage.observer.budget_events().is_empty(), "no budget was asked");
}

#[test]
fn each_decision_is_one_event() {
    let budget = ScriptedBudget::allows(2).then_denies(1).with_reason("too_many");
    let stage = stage(plain().retry_budget("b").retry_cost(4), &budget);
    stage.play(Script::<u32>::fails(9));
    let events: Vec<_> = stage
        .observer
        .budget_events()
        .into_iter()
        .map(|event| (event.attempt, event.kind, event.cost, event.mode, event.allowed, event.reason))
        .collect();
    let standard = DecisionMode::Standard;
    assert_eq!(
        events,
        [
            (0, Retry, 4, standard, true, "allowed".into()),
            (1, Retry, 4, standard, true, "allowed".into()),
            (2, Retry, 4, standard, false, "too_many".into()),
        ]
    );
    assert!(
        stage.observer.budget_events().iter().all(|event| event.budget == "b" && event.key.as_str() == KEY)
    );
}
