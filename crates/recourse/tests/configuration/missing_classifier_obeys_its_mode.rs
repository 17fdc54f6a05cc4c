//! A classifier that is not registered: the default one judges and says so, or the call is denied.

use crate::scene::{KEY, Scene, plain};
use recourse::{MissingClassifier, MissingPlugin, Outcome, StopReason};
use recourse_test::{FixedClassifier, ScriptedBudget, expect};

#[test]
fn by_default_the_executors_default_judges_and_every_outcome_says_so() {
    let scene = Scene::new();
    let executor = scene.builder().policy(KEY, plain().classifier("judge")).late_registration();
    let (result, timeline) = scene.call(&executor.build().unwrap(), &scene.failing());
    assert_eq!(result.unwrap_err().stop_reason(), StopReason::AttemptsExhausted);
    expect(&timeline).reasons(["retryable_error"; 3]).no_attribute("classifier_error");
    for record in timeline.attempts() {
        let said: Vec<_> = record.outcome.attributes.iter().collect();
        assert_eq!(
            said,
            [
                ("classifier_not_found", "true"),
                ("classifier_name", "judge"),
                ("classifier_fallback", "default")
            ]
        );
    }
}

#[test]
fn a_success_judged_by_the_fallback_says_so_too() {
    let scene = Scene::new();
    let builder = scene.builder().missing_classifier(MissingClassifier::Fallback);
    let executor = builder.policy(KEY, plain().classifier("judge")).build().unwrap();
    let (result, timeline) = scene.call(&executor, &scene.fine());
    assert_eq!(result.unwrap(), 7);
    let outcome = &timeline.attempts()[0].outcome;
    assert_eq!(
        (outcome.reason.as_str(), outcome.attributes.get("classifier_not_found")),
        ("success", Some("true"))
    );
}

#[test]
fn the_fallback_is_the_executors_own_default_classifier() {
    let scene = Scene::new();
    let own = FixedClassifier::new(Outcome::non_retryable("own_default").with_attribute("mine", "1"));
    let builder = scene.builder().default_classifier(own).missing_classifier(MissingClassifier::Fallback);
    let executor = builder.policy(KEY, plain().classifier("judge")).build().unwrap();
    let (result, timeline) = scene.call(&executor, &scene.failing());
    assert_eq!(result.unwrap_err().outcome_reason(), "own_default");
    let attributes = &timeline.attempts()[0].outcome.attributes;
    assert_eq!((attributes.get("mine"), attributes.get("classifier_name")), (Some("1"), Some("judge")));
}

#[test]
fn deny_ends_the_call_before_anything_is_asked_and_names_the_classifier() {
    let scene = Scene::new();
    let (operation, budget) = (scene.fine(), ScriptedBudget::allows(1));
    let builder =
        scene.builder().missing_classifier(MissingClassifier::Deny).budget("retries", budget.clone());
    let policy = plain().classifier("judge").retry_budget("retries");
    let (result, timeline) = scene.call(&builder.policy(KEY, policy).build().unwrap(), &operation);
    let error = result.unwrap_err();
    assert_eq!((error.stop_reason(), error.attempts()), (StopReason::ClassifierNotFound, 0));
    assert_eq!((operation.count(), budget.asks().len()), (0, 0));
    let cause = error.cause().and_then(|cause| cause.downcast_ref::<MissingPlugin>()).unwrap();
    assert_eq!((cause.field, cause.name.as_str()), ("retry.classifier_name", "judge"));
    let text = error.to_string();
    for part in [KEY, "classifier_not_found", "retry.classifier_name", "\"judge\"", "always auto grpc http"] {
        assert!(text.contains(part), "{text} lacks {part}");
    }
    expect(&timeline).stop("classifier_not_found").attempts(0);
    expect(&timeline)
        .attribute("classifier_error", "classifier_not_found")
        .attribute("policy_source", "static");
}

#[test]
fn no_name_is_not_a_missing_one() {
    let scene = Scene::new();
    let builder = scene.builder().missing_classifier(MissingClassifier::Deny).policy(KEY, plain());
    let (result, timeline) = scene.call(&builder.build().unwrap(), &scene.fine());
    assert_eq!(result.unwrap(), 7);
    assert!(timeline.attempts()[0].outcome.attributes.is_empty());
}

#[test]
fn one_that_is_registered_later_judges_the_next_call_and_one_taken_out_is_missing_again() {
    for mode in [MissingClassifier::Fallback, MissingClassifier::Deny] {
        let scene = Scene::new();
        let builder = scene.builder().missing_classifier(mode).policy(KEY, plain().classifier("judge"));
        let executor = builder.build().unwrap();
        let missing = scene.failure(&executor).stop_reason();
        executor.classifiers().register("judge", FixedClassifier::new(Outcome::abort("judged"))).unwrap();
        assert_eq!(scene.failure(&executor).outcome_reason(), "judged");
        executor.classifiers().remove("judge").unwrap();
        assert_eq!(scene.failure(&executor).stop_reason(), missing);
    }
}
