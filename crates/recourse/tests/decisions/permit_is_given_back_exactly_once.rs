//! A budget's permit is held while its attempt runs, and given back exactly once, however the attempt ends.

use crate::stage::{KEY, Stage, ms, plain};
use recourse::{Budget, BudgetRequest, Component, Decision, Failure, Policy};
use recourse_test::{Panicking, PluginMethod, Script, ScriptedBreaker, ScriptedBudget, expect};
use std::panic::{AssertUnwindSafe, catch_unwind};

fn stage(policy: Policy, budget: &ScriptedBudget) -> Stage {
    let policy = policy.retry_budget("b").hedge_budget("b");
    Stage::with(policy, |builder| builder.budget("b", budget.clone()))
}

/// Plays a call with a budget for everything; every permit must come back once.
#[track_caller]
fn permits_of<E: Failure<M>, M>(policy: Policy, script: Script<u32, E>) -> usize {
    let budget = ScriptedBudget::allows(1);
    let stage = stage(policy, &budget);
    let played = stage.play(script);
    budget.assert_all_released();
    assert_eq!(budget.released(), budget.asks().len());
    assert_eq!(budget.released(), played.operation.count(), "one permit an attempt");
    budget.released()
}

#[test]
fn a_success_and_failures_give_it_back() {
    assert_eq!(permits_of(plain(), Script::ok(7)), 1);
    assert_eq!(permits_of(plain(), Script::fails(1).then_ok(7)), 2);
    assert_eq!(permits_of(plain(), Script::fails(9)), 3);
}

#[test]
fn timeouts_give_it_back() {
    assert_eq!(permits_of(plain().timeout_per_attempt(ms(5)), Script::never()), 3);
    assert_eq!(permits_of(plain().overall_timeout(ms(5)), Script::never()), 1);
}

#[test]
fn losers_of_a_race_give_it_back() {
    let hedged = plain().hedge_after(ms(10)).max_hedges(3);
    assert_eq!(permits_of(hedged.clone(), Script::never().then_never().then_ok(7)), 3);
    let cut = hedged.overall_timeout(ms(25));
    assert_eq!(permits_of(cut, Script::never()), 3);
}

#[test]
fn a_panic_of_the_operation_gives_it_back() {
    let budget = ScriptedBudget::allows(1);
    let stage = stage(plain().hedge_after(ms(10)).max_hedges(2), &budget);
    for script in [
        Script::<u32>::panics("now"),
        Script::never().then_panics("hedge"),
        Script::panics("later").takes(ms(15)),
    ] {
        let caught = catch_unwind(AssertUnwindSafe(|| stage.play(script)));
        assert!(caught.is_err(), "the operation's panic goes on to the caller");
        budget.assert_all_released();
        assert_eq!(budget.released(), budget.asks().len());
    }
    assert_eq!(budget.asks().len(), 1 + 2 + 2);
}

#[test]
fn a_dropped_call_gives_it_back_wherever_it_stands() {
    for polls in 0..6 {
        let budget = ScriptedBudget::allows(1);
        let stage = stage(plain().hedge_after(ms(10)).max_hedges(2), &budget);
        let operation = Script::<u32>::fails(1).takes(ms(25)).then_never().on(&stage.time);
        let mut call = stage.time.step(stage.executor.run(KEY, |attempt| operation.call(attempt)));
        assert!(call.poll_times(polls).is_pending());
        drop(call);
        budget.assert_all_released();
        assert_eq!((budget.released(), stage.time.pending_sleeps()), (operation.count(), 0), "{polls} polls");
    }
}

#[test]
fn it_is_held_while_the_attempt_runs_and_not_while_the_call_waits() {
    let budget = ScriptedBudget::allows(1);
    let stage = stage(plain(), &budget);
    let operation = Script::fails(1).takes(ms(5)).then_ok(7).takes(ms(5)).on(&stage.time);
    let mut call = stage.time.step(stage.executor.run(KEY, |attempt| operation.call(attempt)));
    let mut held = Vec::new();
    while call.poll().is_pending() {
        held.push((stage.time.elapsed(), budget.outstanding()));
    }
    assert_eq!(held, [(ms(0), 1), (ms(5), 0), (ms(15), 1)]);
    budget.assert_all_released();
}

#[test]
fn a_failed_attempt_gives_it_back_while_its_hedge_still_runs() {
    let budget = ScriptedBudget::allows(1);
    let stage = stage(plain().hedge_after(ms(10)).max_hedges(1), &budget);
    let operation = Script::fails(1).takes(ms(15)).then_ok(7).takes(ms(50)).on(&stage.time);
    let mut call = stage.time.step(stage.executor.run(KEY, |attempt| operation.call(attempt)));
    while stage.time.elapsed() < ms(15) {
        assert!(call.poll().is_pending());
    }
    assert_eq!((budget.outstanding(), budget.released()), (1, 1));
    assert_eq!(call.run().unwrap(), 7);
    budget.assert_all_released();
}

#[test]
fn a_release_that_panics_does_no_harm() {
    let budget = Panicking::only_in([PluginMethod::Release]);
    let stage = Stage::with(plain().retry_budget("b"), |builder| builder.budget("b", budget.clone()));
    let played = stage.play(Script::fails(1).then_ok(7));
    expect(&played.timeline).success().endings(["failed", "won"]).well_formed();
    assert_eq!(budget.panics(), 2, "each release ran once");
    assert_eq!(stage.executor.plugin_panics().count(Component::Budget), 2);
}

/// Denies, and hands out a release all the same.
struct Confused;

impl Budget for Confused {
    fn allow_attempt(&self, _: &BudgetRequest<'_>) -> Decision {
        Decision::deny("confused").with_release(|| panic!("released a denial"))
    }
}

#[test]
fn the_release_of_a_denial_can_not_unwind_through_the_call() {
    let breaker = ScriptedBreaker::admits(1);
    let policy = plain().retry_budget("b").circuit_breaker("s");
    let stage =
        Stage::with(policy, |builder| builder.budget("b", Confused).circuit_breaker("s", breaker.clone()));
    let caught = catch_unwind(AssertUnwindSafe(|| stage.play(Script::ok(7))));
    let played = caught.unwrap_or_else(|_| panic!("a plugin's panic went through the executor"));
    expect(&played.timeline).stop("budget_denied").endings(["denied"]);
    breaker.assert_all_reported();
}
