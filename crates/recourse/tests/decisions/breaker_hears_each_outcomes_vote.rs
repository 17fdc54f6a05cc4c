//! The breaker hears one vote an attempt: the outcome's health.

use crate::stage::{AsTold, KEY, Stage, Told, ms, plain};
use recourse::{Cancelled, Failure, Health, HttpFailure, OutcomeKind, Policy};
use recourse_test::{Script, ScriptedBreaker, ScriptedBudget, expect};

use Health::{Down, None as NoVote, Throttled, Up};

/// The votes of one call, each of which was reported once.
fn votes<T: 'static, E: Failure<M>, M>(policy: Policy, script: Script<T, E>) -> Vec<Health> {
    let breaker = ScriptedBreaker::admits(1);
    let stage = Stage::with(policy.circuit_breaker("scripted"), |builder| {
        builder.circuit_breaker("scripted", breaker.clone()).classifier("told", AsTold)
    });
    stage.play(script);
    breaker.assert_all_reported();
    breaker.votes()
}

#[test]
fn by_default_the_vote_follows_the_kind() {
    for (kind, vote) in [
        (OutcomeKind::Success, Up),
        (OutcomeKind::Retryable, Down),
        (OutcomeKind::NonRetryable, Up),
        (OutcomeKind::Abort, NoVote),
        (OutcomeKind::Unknown, NoVote),
    ] {
        let script = Script::<u32, _>::new().then_err(Told::new("told", kind));
        let policy = plain().max_attempts(1).classifier("told");
        assert_eq!(votes(policy, script), [vote], "{kind}");
    }
    assert_eq!(votes(plain(), Script::ok(7)), [Up]);
}

#[test]
fn every_attempt_votes() {
    assert_eq!(votes(plain(), Script::fails(2).then_ok(7)), [Down, Down, Up]);
}

#[test]
fn a_classifier_may_give_another_vote() {
    let mut told = Told::retryable("quota");
    told.outcome = told.outcome.with_health(NoVote);
    let policy = plain().max_attempts(2).classifier("told");
    assert_eq!(votes(policy, Script::<u32, _>::new().then_err(told)), [NoVote; 2]);
}

#[test]
fn http_votes_by_status_whatever_the_method() {
    for method in ["GET", "POST"] {
        for (status, vote) in [
            (0, Down),
            (500, Down),
            (503, Down),
            (408, Down),
            (429, Throttled),
            (400, Up),
            (404, Up),
            (425, Up),
            (204, Up),
        ] {
            let script = Script::<u32, _>::fails_with(1, move |_| HttpFailure::new(status, method));
            let policy = plain().max_attempts(1).classifier("http");
            assert_eq!(votes(policy, script), [vote], "{method} {status}");
        }
    }
}

#[test]
fn a_timeout_is_a_down_vote_even_where_it_must_not_be_retried() {
    let policy = plain().max_attempts(1).timeout_per_attempt(ms(5));
    assert_eq!(votes(policy.clone(), Script::<u32>::never()), [Down]);
    let breaker = ScriptedBreaker::admits(1);
    let stage = Stage::with(policy.classifier("http").circuit_breaker("scripted"), |builder| {
        builder.circuit_breaker("scripted", breaker.clone())
    });
    let operation = Script::<u32>::never().on(&stage.time);
    let call = stage.executor.call(KEY).idempotent(false).run(|attempt| operation.call(attempt));
    assert_eq!(stage.time.run(call).unwrap_err().outcome_reason(), "http_non_idempotent");
    assert_eq!(breaker.votes(), [Down]);
}

#[test]
fn an_attempt_cut_by_the_overall_deadline_is_a_down_vote() {
    assert_eq!(votes(plain().overall_timeout(ms(5)), Script::<u32>::never()), [Down]);
}

#[test]
fn a_cancelled_operation_says_nothing_of_the_other_side() {
    assert_eq!(votes(plain(), Script::<u32, _>::fails_with(1, |_| Cancelled)), [NoVote]);
}

#[test]
fn an_accepted_error_is_an_up_vote() {
    let accepted = Told::new("fine", OutcomeKind::Success);
    assert_eq!(votes(plain().classifier("told"), Script::<u32, _>::new().then_err(accepted)), [Up]);
}

#[test]
fn the_losers_of_a_race_do_not_vote() {
    let policy = plain().hedge_after(ms(10)).max_hedges(2);
    let script = Script::<u32>::never().then_never().then_ok(7);
    assert_eq!(votes(policy, script), [Up, NoVote, NoVote]);
}

#[test]
fn an_attempt_that_its_budget_denies_does_not_vote() {
    let (breaker, budget) = (ScriptedBreaker::admits(1), ScriptedBudget::denies(1));
    let stage = Stage::with(plain().circuit_breaker("scripted").retry_budget("b"), |builder| {
        builder.circuit_breaker("scripted", breaker.clone()).budget("b", budget)
    });
    expect(&stage.play(Script::ok(7)).timeline).stop("budget_denied");
    breaker.assert_all_reported();
    assert_eq!(breaker.votes(), [NoVote]);
}
