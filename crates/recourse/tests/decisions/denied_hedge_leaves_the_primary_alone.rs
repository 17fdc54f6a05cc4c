//! A hedge that is denied is simply not launched: it never ends the group and never becomes its result.

use crate::stage::{Stage, Told, ms, plain};
use recourse::{Policy, StopReason};
use recourse_test::{Panicking, PluginMethod, Script, ScriptedBreaker, ScriptedBudget, expect};

/// Hedged, with a budget that denies every hedge, and `cancel_on_first_terminal` or not.
fn stages(policy: impl Fn() -> Policy) -> impl Iterator<Item = Stage> {
    [false, true].into_iter().map(move |cancel| {
        let policy = policy().hedge_budget("none").cancel_on_first_terminal(cancel);
        Stage::with(policy, |builder| {
            builder.budget("none", ScriptedBudget::denies(1)).default_classifier(crate::stage::AsTold)
        })
    })
}

fn hedged() -> Policy {
    plain().hedge_after(ms(10)).max_hedges(2)
}

#[test]
fn the_primary_goes_on_and_its_success_counts() {
    for stage in stages(hedged) {
        let played = stage.play(Script::ok(7).takes(ms(50)));
        assert_eq!(played.result.unwrap(), 7);
        expect(&played.timeline)
            .success()
            .endings(["won", "denied", "denied"])
            .indices([(0, 0), (0, 1), (0, 2)])
            .starts([ms(0), ms(10), ms(20)])
            .took(ms(50))
            .attempts(1)
            .hedges(0)
            .well_formed();
        assert_eq!(played.operation.dropped(), 0);
        assert!(stage.observer.hedge_spawns().is_empty() && stage.observer.hedge_cancels().is_empty());
    }
}

#[test]
fn the_primarys_failure_is_retried_as_ever() {
    for stage in stages(|| hedged().max_attempts(2)) {
        let script = Script::new().then_err(Told::retryable("busy")).takes(ms(15)).then_ok(7);
        let played = stage.play(script);
        assert_eq!(played.result.unwrap(), 7);
        expect(&played.timeline).endings(["failed", "denied", "won"]).starts([ms(0), ms(10), ms(25)]);
    }
}

#[test]
fn it_is_not_the_groups_result_however_severe_a_denial_looks() {
    for stage in stages(|| hedged().max_attempts(1)) {
        let played = stage.play(Script::<u32, _>::new().then_err(Told::retryable("busy")).takes(ms(25)));
        expect(&played.timeline).stop("attempts_exhausted").error("busy").took(ms(25));
        let error = played.error();
        assert_eq!((error.stop_reason(), error.attempts()), (StopReason::AttemptsExhausted, 1));
        assert_eq!(error.outcome_reason(), "busy");
        assert_eq!(error.into_inner().unwrap().name, "busy");
    }
}

#[test]
fn the_group_does_not_wait_for_a_denied_hedge() {
    for stage in stages(|| hedged().max_attempts(1)) {
        let played = stage.play(Script::<u32, _>::new().then_err(Told::retryable("busy")).takes(ms(11)));
        expect(&played.timeline).took(ms(11)).endings(["failed", "denied"]);
    }
}

#[test]
fn a_hedge_after_a_denied_one_may_be_allowed() {
    let budget = ScriptedBudget::denies(1).then_allows(1);
    let stage = Stage::with(hedged().hedge_budget("b"), |builder| builder.budget("b", budget.clone()));
    let played = stage.play(Script::never().then_ok(7).takes(ms(5)));
    assert_eq!(played.result.unwrap(), 7);
    expect(&played.timeline)
        .endings(["superseded", "denied", "won"])
        .indices([(0, 0), (0, 1), (0, 2)])
        .took(ms(25));
    budget.assert_all_released();
}

#[test]
fn a_hedge_budget_that_panics_denies_the_hedge_and_nothing_else() {
    let budget = Panicking::only_in([PluginMethod::AllowAttempt]);
    let stage = Stage::with(hedged().cancel_on_first_terminal(true).hedge_budget("b"), |builder| {
        builder.budget("b", budget.clone())
    });
    let played = stage.play(Script::ok(7).takes(ms(50)));
    assert_eq!(played.result.unwrap(), 7);
    expect(&played.timeline).success().budget_reasons(["no_budget", "panic_in_budget", "panic_in_budget"]);
}

#[test]
fn a_hedge_that_the_breaker_rejects_leaves_the_primary_alone_too() {
    for cancel in [false, true] {
        let breaker = ScriptedBreaker::admits(1).then_rejects(1);
        let budget = ScriptedBudget::allows(1);
        let policy = hedged().cancel_on_first_terminal(cancel).hedge_budget("b").circuit_breaker("s");
        let stage = Stage::with(policy, |builder| {
            builder.circuit_breaker("s", breaker.clone()).budget("b", budget.clone())
        });
        let played = stage.play(Script::ok(7).takes(ms(50)));
        assert_eq!(played.result.unwrap(), 7);
        expect(&played.timeline).success().attempts(1).took(ms(50)).well_formed();
        assert!(budget.asks().is_empty());
        breaker.assert_all_reported();
    }
}

#[test]
fn denied_hedges_use_up_no_attempts_of_the_caller() {
    for stage in stages(hedged) {
        let played = stage.play(Script::<u32, _>::new().then_err(Told::retryable("busy")).takes(ms(25)));
        expect(&played.timeline).stop("attempts_exhausted").attempts(3).hedges(0);
        assert_eq!(played.error().attempts(), 3);
    }
}
