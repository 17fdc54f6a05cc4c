//! A policy names its classifier; without a name the executor's default judges, which is `auto`.

use crate::stage::{KEY, Stage, ms, plain};
use recourse::{
    Classifier, Executor, GrpcCode, GrpcFailure, HttpFailure, MissingClassifier, MissingPlugin, Outcome,
    OutcomeKind, Policy, StopReason,
};
use recourse_test::{FixedClassifier, Script, ScriptedError, expect};

fn http(status: u16, method: &'static str) -> Script<u32, HttpFailure> {
    Script::fails_with(9, move |_| HttpFailure::new(status, method))
}

/// Attempts, stop reason and the first attempt's reason of a call that fails.
fn plays<E: std::error::Error + 'static>(
    policy: Policy,
    script: Script<u32, E>,
) -> (u32, StopReason, String) {
    let played = Stage::new(policy).play(script);
    let reason = played.timeline.attempts()[0].outcome.reason.to_string();
    let error = played.error();
    (error.attempts(), error.stop_reason(), reason)
}

#[test]
fn http_retries_5xx_up_to_the_last_attempt_and_stops_at_404() {
    let exhausted = StopReason::AttemptsExhausted;
    for policy in [plain().classifier("http"), plain()] {
        assert_eq!(plays(policy.clone(), http(500, "GET")), (3, exhausted, "http_5xx".into()));
        assert_eq!(plays(policy.clone(), http(0, "GET")), (3, exhausted, "http_transport_error".into()));
        for status in [408, 425, 429] {
            assert_eq!(plays(policy.clone(), http(status, "PUT")), (3, exhausted, format!("http_{status}")));
        }
        let no = StopReason::NonRetryable;
        assert_eq!(plays(policy.clone(), http(404, "GET")), (1, no, "http_non_retryable_status".into()));
        assert_eq!(plays(policy.clone(), http(503, "POST")), (1, no, "http_non_idempotent".into()));
    }
}

#[test]
fn an_answer_that_forbids_a_retry_is_obeyed() {
    let forbidden = || Script::<u32, _>::fails_with(9, |_| HttpFailure::new(503, "GET").do_not_retry());
    let found = plays(plain(), forbidden());
    assert_eq!(found, (1, StopReason::NonRetryable, "server_do_not_retry".into()));
}

#[test]
fn http_refuses_an_error_type_that_it_does_not_know() {
    let played = Stage::new(plain().classifier("http")).play(Script::<u32>::fails(9));
    expect(&played.timeline).stop("non_retryable").reasons(["classifier_type_mismatch"]);
    let outcome = &played.timeline.attempts()[0].outcome;
    assert_eq!(outcome.attributes.get("expected_type"), Some("HttpFailure"));
    assert!(outcome.attributes.get("got_type").is_some_and(|name| name.ends_with("ScriptedError")));
}

#[test]
fn http_retries_a_timeout_unless_the_call_is_marked_non_idempotent() {
    let stage = Stage::new(plain().classifier("http").timeout_per_attempt(ms(5)));
    for (mark, attempts, reason) in [
        (None, 3, "context_deadline_exceeded"),
        (Some(true), 3, "context_deadline_exceeded"),
        (Some(false), 1, "http_non_idempotent"),
    ] {
        let operation = Script::<u32, HttpFailure>::new().then_never().on(&stage.time);
        let call = stage.executor.call(KEY);
        let call = mark.map_or(stage.executor.call(KEY), |mark| call.idempotent(mark));
        let (result, timeline) = stage.time.run(call.run_captured(|attempt| operation.call(attempt)));
        let error = result.unwrap_err();
        expect(&timeline).endings(vec!["timed_out"; attempts]).reasons(vec![reason; attempts]);
        assert!(error.into_inner().is_none(), "the operation itself returned no error");
    }
}

#[test]
fn always_retries_whatever_fails_also_an_http_answer() {
    let always = plain().classifier("always");
    assert_eq!(plays(always.clone(), http(404, "POST")).0, 3);
    let exhausted = StopReason::AttemptsExhausted;
    let found = plays(always, Script::<u32>::fails(9));
    assert_eq!(found, (3, exhausted, "retryable_error".into()));
}

#[test]
fn grpc_judges_by_code_and_leaves_the_rest_to_auto() {
    let grpc = |code| Script::fails_with(9, move |_| GrpcFailure::new(code));
    let play = |code| plays(plain().classifier("grpc"), grpc(code));
    let exhausted = StopReason::AttemptsExhausted;
    assert_eq!(play(GrpcCode::Unavailable), (3, exhausted, "grpc_Unavailable".into()));
    assert_eq!(play(GrpcCode::ResourceExhausted), (3, exhausted, "grpc_ResourceExhausted".into()));
    assert_eq!(play(GrpcCode::DeadlineExceeded), (3, exhausted, "context_deadline_exceeded".into()));
    assert_eq!(play(GrpcCode::Cancelled), (1, StopReason::Abort, "context_canceled".into()));
    assert_eq!(play(GrpcCode::NotFound), (1, StopReason::NonRetryable, "grpc_NotFound".into()));
    let found = plays(plain().classifier("grpc"), http(404, "GET"));
    assert_eq!(found, (1, StopReason::NonRetryable, "http_non_retryable_status".into()));
}

#[test]
fn a_named_classifier_goes_before_the_default_one() {
    let named = FixedClassifier::new(Outcome::non_retryable("named"));
    let other = FixedClassifier::new(Outcome::retryable("default"));
    let stage = Stage::with(plain().classifier("mine"), |builder| {
        builder.classifier("mine", named.clone()).default_classifier(other.clone())
    });
    expect(&stage.play(Script::<u32>::fails(9)).timeline).attempts(1).reasons(["named"]);
    assert!(other.seen().is_empty());
}

#[test]
fn a_missing_classifier_falls_back_to_the_default_and_every_outcome_says_so() {
    let stage = Stage::with(plain().classifier("nowhere"), |builder| {
        builder.missing_classifier(MissingClassifier::Fallback)
    });
    let played = stage.play(Script::fails(1).then_ok(7));
    expect(&played.timeline).success().reasons(["retryable_error", "success"]);
    for record in played.timeline.attempts() {
        let notes = &record.outcome.attributes;
        assert_eq!(notes.get("classifier_not_found"), Some("true"));
        assert_eq!(notes.get("classifier_name"), Some("nowhere"));
        assert_eq!(notes.get("classifier_fallback"), Some("default"));
    }
}

#[test]
fn a_missing_classifier_can_end_the_call_before_its_operation_runs() {
    let stage = Stage::with(plain().classifier("nowhere"), |builder| {
        builder.missing_classifier(MissingClassifier::Deny)
    });
    let played = stage.play(Script::<u32>::fails(1));
    assert_eq!(played.operation.count(), 0);
    expect(&played.timeline)
        .failure()
        .stop("classifier_not_found")
        .attempts(0)
        .attribute("classifier_error", "classifier_not_found")
        .attribute("classifier_name", "nowhere");
    let error = played.error();
    assert_eq!((error.stop_reason(), error.attempts()), (StopReason::ClassifierNotFound, 0));
    let cause = error.cause().expect("it says what is missing");
    let missing = cause.downcast_ref::<MissingPlugin>().expect("a missing plugin");
    assert_eq!((missing.field, missing.name.as_str()), ("retry.classifier_name", "nowhere"));
    assert!(error.to_string().contains("nowhere"), "{error}");
}

#[test]
fn every_built_in_name_is_registered() {
    let executor = Executor::builder().build().unwrap();
    for name in ["always", "http", "auto", "grpc"] {
        let classifier = executor.classifiers().get(name).unwrap_or_else(|| panic!("{name} is missing"));
        let error = ScriptedError::new(0);
        let kind = classifier.classify(&recourse::AttemptResult::of_error(&error)).kind;
        let expected = if name == "http" { OutcomeKind::NonRetryable } else { OutcomeKind::Retryable };
        assert_eq!(kind, expected, "{name}");
    }
}
