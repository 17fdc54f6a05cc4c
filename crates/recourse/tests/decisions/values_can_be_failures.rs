//! A value may be classified as a failure; what the operation returned last is what the caller gets.

use crate::stage::{KEY, Stage, Told, ms, plain};
use recourse::classify::Http;
use recourse::{AttemptResult, Classifier, HttpFailure, Outcome, OutcomeKind, Policy, StopReason};
use recourse_test::{Script, expect};

/// Values below ten are not there yet, values from a hundred are of no use; errors as [`Told`] says.
struct ByValue;

impl Classifier for ByValue {
    fn classify(&self, result: &AttemptResult<'_>) -> Outcome {
        match result.value::<u32>() {
            Some(..10) => Outcome::retryable("not_yet"),
            Some(100..) => Outcome::non_retryable("useless"),
            Some(_) => Outcome::success(),
            None => crate::stage::AsTold.classify(result),
        }
    }
}

fn stage(policy: Policy) -> Stage {
    Stage::with(policy, |builder| builder.default_classifier(ByValue))
}

fn script() -> Script<u32, Told> {
    Script::new()
}

#[test]
fn a_value_that_is_classified_retryable_is_tried_again() {
    let played = stage(plain()).play(script().then_ok(1).then_ok(2).then_ok(10));
    assert_eq!(played.result.unwrap(), 10);
    expect(&played.timeline).success().endings(["failed", "failed", "won"]).backoffs([ms(10), ms(20)]);
}

#[test]
fn a_failing_value_is_returned_as_it_is_when_the_attempts_are_used_up() {
    let stage = stage(plain());
    let played = stage.play(script().then_ok(1).then_ok(2).then_ok(3));
    assert_eq!(played.result.unwrap(), 3);
    expect(&played.timeline).failure().stop("attempts_exhausted").endings(["failed"; 3]).well_formed();
    assert_eq!(played.timeline.error, None);
    assert_eq!((stage.observer.successes().len(), stage.observer.failures().len()), (0, 1));
}

#[test]
fn a_value_of_no_use_ends_the_call_and_is_returned() {
    let stage = stage(plain());
    let played = stage.play(script().then_ok(100));
    assert_eq!(played.result.unwrap(), 100);
    expect(&played.timeline).failure().stop("non_retryable").attempts(1).reasons(["useless"]);
    assert!(stage.time.sleeps().is_empty());
}

#[test]
fn an_error_after_a_value_is_returned_as_an_error() {
    let played = stage(plain()).play(script().then_ok(1).then_err(Told::non_retryable("gone")));
    expect(&played.timeline).stop("non_retryable").error("gone");
    assert_eq!(played.error().into_inner().unwrap().name, "gone");
}

#[test]
fn the_wait_after_a_failing_value_counts_as_elapsed() {
    let error = stage(plain()).play(script().then_ok(1).then_err(Told::non_retryable("gone"))).error();
    assert_eq!(error.elapsed(), ms(10), "the call first had to wait behind its first value");
}

#[test]
fn a_value_after_an_error_is_returned_as_a_value() {
    let played = stage(plain()).play(script().then_err(Told::retryable("busy")).then_ok(100));
    assert_eq!(played.result.unwrap(), 100);
    expect(&played.timeline).failure().stop("non_retryable").endings(["failed"; 2]);
    assert_eq!(played.timeline.error, None);
}

#[test]
fn a_value_is_returned_even_if_later_attempts_time_out() {
    let policy = plain().timeout_per_attempt(ms(5));
    let played = stage(policy).play(script().then_ok(1).then_never());
    assert_eq!(played.result.unwrap(), 1);
    expect(&played.timeline).stop("attempts_exhausted").endings(["failed", "timed_out", "timed_out"]);
}

#[test]
fn a_value_is_returned_if_its_retry_is_cut_or_would_be_too_late() {
    let cut = stage(plain().overall_timeout(ms(15))).play(script().then_ok(1).then_never());
    assert_eq!(cut.result.unwrap(), 1);
    expect(&cut.timeline).stop("overall_timeout").endings(["failed", "timed_out"]);
    let late = stage(plain().overall_timeout(ms(5))).play(script().then_ok(1).then_never());
    assert_eq!(late.result.unwrap(), 1);
    expect(&late.timeline).stop("deadline_would_pass").endings(["failed"]);
}

#[test]
fn an_error_stays_the_last_one_if_later_attempts_time_out() {
    let policy = plain().timeout_per_attempt(ms(5));
    let played = stage(policy).play(script().then_err(Told::retryable("busy")).then_never());
    expect(&played.timeline).stop("attempts_exhausted").error("busy");
    let error = played.error();
    assert_eq!(error.outcome_reason(), "context_deadline_exceeded");
    assert_eq!(error.into_inner().unwrap().name, "busy");
}

#[test]
fn http_can_read_a_status_out_of_a_value() {
    #[derive(Clone, Debug, PartialEq)]
    struct Answer(u16);
    let http = Http::new().read_value(|answer: &Answer| Some(HttpFailure::new(answer.0, "GET")));
    let stage = Stage::with(plain(), |builder| builder.default_classifier(http));
    let played = stage.play(Script::<Answer>::new().then_ok(Answer(503)).then_ok(Answer(200)));
    assert_eq!(played.result.unwrap(), Answer(200));
    expect(&played.timeline).reasons(["http_5xx", "success"]);
    let played = stage.play(Script::<Answer>::new().then_ok(Answer(404)));
    assert_eq!(played.result.unwrap(), Answer(404));
    expect(&played.timeline).failure().stop("non_retryable");
}

#[test]
fn http_takes_a_value_without_a_status_for_a_success() {
    let played = Stage::new(plain().classifier("http")).play(Script::ok("<html>"));
    expect(&played.timeline).success().reasons(["success"]);
    assert_eq!(played.result.unwrap(), "<html>");
}

#[test]
fn a_failing_value_is_told_apart_by_observers_from_the_same_value_as_a_success() {
    let stage = stage(plain().max_attempts(1));
    for (value, success) in [(9, false), (10, true)] {
        stage.observer.clear();
        let operation = script().then_ok(value).on(&stage.time);
        let result = stage.time.run(stage.executor.run(KEY, |attempt| operation.call(attempt)));
        assert_eq!(result.unwrap(), value);
        assert_eq!(stage.observer.successes().len(), usize::from(success), "{value}");
        let kind = stage.observer.attempts()[0].outcome.kind;
        assert_eq!(kind, if success { OutcomeKind::Success } else { OutcomeKind::Retryable });
        let stop = stage.observer.last_timeline().stop;
        assert_eq!(stop, (!success).then_some(StopReason::AttemptsExhausted));
    }
}
