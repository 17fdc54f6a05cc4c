//! The last value or error of the operation reaches the caller, whatever ended the call.

use crate::scene::{KEY, Scene, built, ms, plain};
use recourse::{Outcome, OutcomeKind, StopReason};
use recourse_test::{FixedClassifier, Script, ScriptedBudget, ScriptedError, expect};
use std::error::Error as _;

#[test]
fn a_last_value_is_ok_however_it_was_classified() {
    for (outcome, stop) in [
        (Outcome::retryable("not_yet"), "attempts_exhausted"),
        (Outcome::non_retryable("wrong"), "non_retryable"),
        (Outcome::abort("stop"), "abort"),
    ] {
        let scene = Scene::new();
        let judge = FixedClassifier::new(outcome);
        let executor =
            built(scene.builder().classifier("judge", judge).policy(KEY, plain().classifier("judge")));
        let operation = Script::ok(7).on(&scene.time);
        let (result, timeline) =
            scene.time.run(executor.call(KEY).run_captured(|attempt| operation.call(attempt)));
        assert_eq!(result.ok(), Some(7));
        expect(&timeline).failure().stop(stop).well_formed();
        assert_eq!(timeline.error, None, "the caller got no error");
        assert_eq!((scene.observer.successes().len(), scene.observer.failures().len()), (0, 1));
    }
}

#[test]
fn a_value_after_an_error_wins_over_it_and_an_error_after_a_value_over_that() {
    let retryable = || FixedClassifier::new(Outcome::retryable("again"));
    let scene = Scene::new();
    let builder = scene.builder().classifier("judge", retryable());
    let executor = built(builder.policy(KEY, plain().max_attempts(2).classifier("judge")));
    let value_last = Script::fails(1).then_ok(7).on(&scene.time);
    assert_eq!(scene.time.run(executor.run(KEY, |attempt| value_last.call(attempt))).ok(), Some(7));
    let error_last = Script::ok(7).then_fails(1).on(&scene.time);
    let error = scene.time.run(executor.run(KEY, |attempt| error_last.call(attempt))).unwrap_err();
    assert_eq!(error.into_inner(), Some(ScriptedError::new(1)));
}

#[test]
fn a_value_is_kept_when_a_budget_a_deadline_or_a_timeout_ends_the_call() {
    let retryable = FixedClassifier::new(Outcome::retryable("not_yet"));
    let policies = [
        (plain().retry_budget("b"), StopReason::BudgetDenied),
        (plain().overall_timeout(ms(5)), StopReason::DeadlineWouldPass),
        (plain().overall_timeout(ms(50)), StopReason::OverallTimeout),
        (plain().max_attempts(2).timeout_per_attempt(ms(20)), StopReason::AttemptsExhausted),
    ];
    for (policy, stop) in policies {
        let scene = Scene::new();
        let builder = scene.builder().budget("b", ScriptedBudget::allows(1).then_denies(1));
        let builder = builder.classifier("judge", retryable.clone());
        let executor = built(builder.policy(KEY, policy.classifier("judge")));
        let operation = Script::ok(7).then_never().on(&scene.time);
        let (result, timeline) =
            scene.time.run(executor.call(KEY).run_captured(|attempt| operation.call(attempt)));
        assert_eq!(result.ok(), Some(7), "{stop}");
        expect(&timeline).failure().stop(stop);
    }
}

#[test]
fn into_inner_is_the_last_error_of_the_operation_even_if_a_later_attempt_timed_out() {
    let scene = Scene::new();
    let executor = scene.executor(plain().timeout_per_attempt(ms(10)));
    let operation = Script::<u32>::fails(1).then_never().on(&scene.time);
    let (result, timeline) =
        scene.time.run(executor.call(KEY).run_captured(|attempt| operation.call(attempt)));
    let error = result.unwrap_err();
    assert_eq!((error.stop_reason(), error.attempts()), (StopReason::AttemptsExhausted, 3));
    assert_eq!(error.outcome_reason(), "context_deadline_exceeded");
    let source = error.source().and_then(|source| source.downcast_ref::<ScriptedError>());
    assert_eq!(source, Some(&ScriptedError::new(0)));
    assert_eq!(error.into_inner(), Some(ScriptedError::new(0)));
    expect(&timeline)
        .endings(["failed", "timed_out", "timed_out"])
        .reasons(["retryable_error", "context_deadline_exceeded", "context_deadline_exceeded"])
        .error("scripted failure 0");
}

#[test]
fn a_call_whose_attempts_all_time_out_has_no_inner_error() {
    let scene = Scene::new();
    let executor = scene.executor(plain().timeout_per_attempt(ms(10)));
    let operation = Script::<u32>::never().on(&scene.time);
    let error = scene.time.run(executor.run(KEY, |attempt| operation.call(attempt))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "payments.Charge: attempts_exhausted after 3 attempts in 60.0ms, context_deadline_exceeded"
    );
    assert!(error.source().is_none());
    assert_eq!(error.into_inner(), None);
    assert_eq!(operation.dropped(), 3);
}

#[test]
fn of_a_failed_group_the_most_severe_result_is_kept() {
    let scene = Scene::new();
    let judge = FixedClassifier::new(Outcome::non_retryable("hedge")).then(Outcome::retryable("primary"));
    let builder = scene.builder().classifier("judge", judge);
    let policy = plain().hedge_after(ms(10)).max_hedges(1).classifier("judge");
    let executor = built(builder.policy(KEY, policy));
    let operation = Script::<u32>::fails(1).takes(ms(50)).then_fails(1).takes(ms(5)).on(&scene.time);
    let error = scene.time.run(executor.run(KEY, |attempt| operation.call(attempt))).unwrap_err();
    assert_eq!((error.stop_reason(), error.outcome_reason()), (StopReason::NonRetryable, "hedge"));
    assert_eq!(error.into_inner(), Some(ScriptedError::new(1)));
    let record = scene.observer.last_timeline().attempts()[1].clone();
    assert_eq!(record.outcome.kind, OutcomeKind::NonRetryable);
}

#[test]
fn a_late_failed_hedge_does_not_replace_a_more_severe_primary() {
    let scene = Scene::new();
    let judge = FixedClassifier::new(Outcome::abort("primary")).then(Outcome::retryable("hedge"));
    let builder = scene.builder().classifier("judge", judge);
    let policy = plain().hedge_after(ms(10)).max_hedges(1).classifier("judge");
    let executor = built(builder.policy(KEY, policy));
    let operation = Script::<u32>::fails(1).takes(ms(20)).then_fails(1).takes(ms(50)).on(&scene.time);
    let error = scene.time.run(executor.run(KEY, |attempt| operation.call(attempt))).unwrap_err();
    assert_eq!((error.stop_reason(), error.outcome_reason()), (StopReason::Abort, "primary"));
    assert_eq!(error.into_inner(), Some(ScriptedError::new(0)));
}
