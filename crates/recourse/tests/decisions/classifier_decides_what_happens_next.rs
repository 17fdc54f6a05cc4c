//! The classifier's outcome decides what the call does next.

use crate::stage::{AsTold, Stage, Told, ms, plain};
use recourse::{AttemptResult, Classifier, Component, Label, Outcome, OutcomeKind, StopReason};
use recourse_test::{FixedClassifier, Script, expect};

fn judged_as(outcome: Outcome) -> Stage {
    Stage::with(plain(), |builder| builder.default_classifier(FixedClassifier::new(outcome)))
}

#[test]
fn an_operation_that_succeeds_runs_once_and_waits_for_nothing() {
    let stage = Stage::new(plain());
    let played = stage.play(Script::ok(7));
    assert_eq!(played.result.unwrap(), 7);
    expect(&played.timeline).success().endings(["won"]).reasons(["success"]).well_formed();
    assert!(stage.time.sleeps().is_empty());
}

#[test]
fn a_retryable_outcome_is_tried_again_until_the_attempts_are_used_up() {
    let stage = judged_as(Outcome::retryable("busy"));
    let played = stage.play(Script::<u32>::fails(9));
    expect(&played.timeline).stop("attempts_exhausted").endings(["failed"; 3]).reasons(["busy"; 3]);
    assert_eq!(stage.time.sleeps(), [ms(10), ms(20)]);
    let error = played.error();
    assert_eq!((error.attempts(), error.outcome_reason()), (3, "busy"));
    assert_eq!(error.into_inner().unwrap().number, 2, "the last error counts");
}

#[test]
fn non_retryable_and_abort_end_the_call_without_a_wait() {
    for (outcome, stop) in [
        (Outcome::non_retryable("no"), StopReason::NonRetryable),
        (Outcome::abort("stop"), StopReason::Abort),
    ] {
        let stage = judged_as(outcome);
        let played = stage.play(Script::<u32>::fails(9));
        expect(&played.timeline).failure().stop(stop).attempts(1).error("scripted failure 0").well_formed();
        assert!(stage.time.sleeps().is_empty());
        let error = played.error();
        assert_eq!((error.stop_reason(), error.attempts()), (stop, 1));
        assert_eq!(error.into_inner().unwrap().number, 0);
    }
}

#[test]
fn an_unknown_outcome_is_an_abort_with_a_reason_of_its_own() {
    for outcome in [Outcome::unknown(), Outcome::of(OutcomeKind::Unknown, "shrug")] {
        let stage = judged_as(outcome);
        let played = stage.play(Script::<u32>::fails(9));
        expect(&played.timeline).stop("abort").reasons(["unknown_outcome"]);
        assert_eq!(played.timeline.attempts()[0].outcome.kind, OutcomeKind::Abort);
        assert_eq!(played.error().outcome_reason(), "unknown_outcome");
    }
}

#[test]
fn an_empty_reason_becomes_the_kinds_own() {
    for (kind, reason) in [
        (OutcomeKind::Success, "success"),
        (OutcomeKind::Retryable, "retryable_error"),
        (OutcomeKind::NonRetryable, "non_retryable_error"),
        (OutcomeKind::Abort, "abort"),
    ] {
        let mut outcome = Outcome::of(kind, "x");
        outcome.reason = Label::EMPTY;
        let stage = Stage::with(plain().max_attempts(1), |builder| {
            builder.default_classifier(FixedClassifier::new(outcome))
        });
        expect(&stage.play(Script::<u32>::fails(1)).timeline).reasons([reason]);
    }
}

#[test]
fn each_attempt_is_judged_by_itself() {
    let classifier = FixedClassifier::new(Outcome::retryable("busy").with_attribute("shard", "7"))
        .then(Outcome::non_retryable("gone"));
    let stage = Stage::with(plain(), |builder| builder.default_classifier(classifier.clone()));
    let played = stage.play(Script::<u32>::fails(9));
    expect(&played.timeline).stop("non_retryable").reasons(["busy", "gone"]);
    let outcomes: Vec<_> =
        played.timeline.attempts().iter().map(|record| record.outcome.attributes.get("shard")).collect();
    assert_eq!(outcomes, [Some("7"), None]);
}

#[test]
fn a_classifier_is_shown_errors_timeouts_values_and_what_the_call_site_said() {
    let classifier = FixedClassifier::new(Outcome::retryable(""));
    let stage = Stage::with(plain().timeout_per_attempt(ms(5)), |builder| {
        builder.default_classifier(classifier.clone())
    });
    let operation = Script::fails(1).then_never().then_ok(7_u8).on(&stage.time);
    let call = stage.executor.call(crate::stage::KEY).idempotent(false);
    assert_eq!(stage.time.run(call.run(|attempt| operation.call(attempt))).unwrap(), 7);
    assert_eq!(
        classifier.seen(),
        [
            "AttemptResult::Error(ScriptedError { number: 0 })",
            "AttemptResult::TimedOut",
            "AttemptResult::Value(u8)"
        ]
    );
    assert_eq!(classifier.idempotent(), [Some(false); 3]);
}

#[test]
fn a_classifier_can_look_into_the_types_that_the_operation_returns() {
    struct Stock;
    impl Classifier for Stock {
        fn classify(&self, result: &AttemptResult<'_>) -> Outcome {
            match (result.value::<Option<u32>>(), result.error_as::<std::num::ParseIntError>()) {
                (Some(Some(_)), _) => Outcome::success(),
                (Some(None), _) => Outcome::retryable("not_yet"),
                (_, Some(_)) => Outcome::retryable("garbled"),
                _ => Outcome::abort("unexpected"),
            }
        }
    }
    let stage = Stage::with(plain(), |builder| builder.default_classifier(Stock));
    let garbled = "x".parse::<u32>().unwrap_err();
    let played = stage.play(Script::new().then_ok(None).then_err(garbled).then_ok(Some(3_u32)));
    expect(&played.timeline).success().reasons(["not_yet", "garbled", "success"]);
    assert_eq!(played.result.unwrap(), Some(3));
}

#[test]
fn an_error_that_the_classifier_accepts_is_a_success_that_is_returned_as_an_error() {
    let stage = judged_as(Outcome::success());
    let played = stage.play(Script::<u32>::fails(9));
    expect(&played.timeline).success().stop("accepted").endings(["won"]).attempts(1).well_formed();
    assert_eq!((stage.observer.successes().len(), stage.observer.failures().len()), (1, 0));
    let error = played.error();
    assert_eq!(error.stop_reason(), StopReason::Accepted);
    assert_eq!(error.into_inner().unwrap().number, 0);
}

/// Panics at an error named `boom`.
struct Fragile;

impl Classifier for Fragile {
    fn classify(&self, result: &AttemptResult<'_>) -> Outcome {
        let boom = result.error_as::<Told>().is_some_and(|told| told.name == "boom");
        assert!(!boom, "what is this?");
        AsTold.classify(result)
    }
}

fn fragile() -> Stage {
    let policy = plain().hedge_after(ms(10)).max_hedges(1);
    Stage::with(policy, |builder| builder.default_classifier(Fragile))
}

#[test]
fn a_classifier_that_panics_aborts_and_the_error_says_what_the_panic_said() {
    let error = fragile().play(Script::<u32, _>::new().then_err(Told::retryable("boom"))).error();
    assert_eq!(error.stop_reason(), StopReason::PanicIn(Component::Classifier));
    let cause = error.cause().map(ToString::to_string);
    assert_eq!(cause.as_deref(), Some("panic in classifier: what is this?"));
    assert_eq!(error.into_inner().unwrap().name, "boom", "the operation's own error is kept");
}

#[test]
fn a_panic_over_a_hedges_result_is_not_the_cause_of_an_end_that_it_did_not_decide() {
    for kind in [OutcomeKind::Success, OutcomeKind::Abort] {
        let script = Script::<u32, _>::new().then_err(Told::new("primary", kind)).takes(ms(50));
        let played = fragile().play(script.then_err(Told::retryable("boom")).takes(ms(5)));
        expect(&played.timeline).reasons(["primary", "panic_in_classifier"]).took(ms(50));
        let error = played.error();
        let stop = if kind == OutcomeKind::Success { StopReason::Accepted } else { StopReason::Abort };
        assert_eq!(error.stop_reason(), stop);
        assert!(error.cause().is_none(), "{error}");
    }
}
