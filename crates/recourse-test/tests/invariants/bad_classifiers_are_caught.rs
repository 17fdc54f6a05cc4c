//! Classifiers that have no answer, more than one, or say too much.

use crate::assert_caught;
use recourse_core::{AttemptResult, Classifier, HttpFailure, Label, Outcome};
use recourse_test::FixedClassifier;
use recourse_test::invariants::{classifier_is_total, classifier_judges};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// A classifier that is a function.
struct By<F>(F);

impl<F: Fn(&AttemptResult<'_>) -> Outcome + Send + Sync> Classifier for By<F> {
    fn classify(&self, result: &AttemptResult<'_>) -> Outcome {
        (self.0)(result)
    }
}

fn plain(result: &AttemptResult<'_>) -> Outcome {
    if result.is_value() { Outcome::success() } else { Outcome::retryable("") }
}

#[test]
fn a_good_one_passes() {
    classifier_is_total(&By(plain));
}

#[test]
fn one_that_panics_at_what_it_does_not_know_is_caught() {
    let trusting = By(|result: &AttemptResult<'_>| match result.error() {
        Some(_) => Outcome::retryable(result.find::<HttpFailure>().expect("HTTP").status().to_string()),
        None => plain(result),
    });
    assert_caught("it panicked in classify: AttemptResult::Error(Cancelled): HTTP", || {
        classifier_is_total(&trusting);
    });
}

#[test]
fn one_that_changes_its_mind_is_caught() {
    let asked = AtomicU32::new(0);
    let fickle = By(move |_: &AttemptResult<'_>| match asked.fetch_add(1, Relaxed) % 2 {
        0 => Outcome::success(),
        _ => Outcome::retryable(""),
    });
    assert_caught("and the next time", || classifier_is_total(&fickle));
}

#[test]
fn one_that_calls_a_timeout_a_success_is_caught() {
    assert_caught("a timeout is a success", || {
        classifier_is_total(&FixedClassifier::new(Outcome::success()));
    });
}

#[test]
fn one_that_gives_no_reason_is_caught() {
    let silent = By(|result: &AttemptResult<'_>| {
        let mut outcome = plain(result);
        outcome.reason = Label::EMPTY;
        outcome
    });
    assert_caught("without a reason", || classifier_is_total(&silent));
}

#[test]
fn one_that_puts_texts_into_labels_is_caught() {
    let reason = By(|result: &AttemptResult<'_>| match result.error() {
        Some(error) => Outcome::retryable(error.to_string()),
        None => plain(result),
    });
    assert_caught("the text of an error is in a label of telemetry", || classifier_is_total(&reason));
    let attribute = By(|result: &AttemptResult<'_>| match result.error() {
        Some(error) => plain(result).with_attribute("error", error.to_string()),
        None => plain(result),
    });
    assert_caught("the text of an error is in a label of telemetry", || classifier_is_total(&attribute));
}

/// Says that values need no judging, and judges them.
struct Absent;

impl Classifier for Absent {
    fn classify(&self, _: &AttemptResult<'_>) -> Outcome {
        Outcome::retryable("")
    }
    fn judges_values(&self) -> bool {
        false
    }
}

#[test]
fn one_that_says_it_judges_no_values_and_does_is_caught() {
    assert_caught("it says that it doesn't judge values", || classifier_is_total(&Absent));
}

#[test]
fn results_of_your_own_are_judged_too() {
    #[derive(Debug)]
    struct Mine;
    impl std::fmt::Display for Mine {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("mine")
        }
    }
    impl std::error::Error for Mine {}
    let picky = By(|result: &AttemptResult<'_>| {
        assert!(result.find::<Mine>().is_none(), "not mine");
        plain(result)
    });
    classifier_is_total(&picky);
    assert_caught("it panicked in classify: AttemptResult::Error(Mine): not mine", || {
        classifier_judges(&picky, &[AttemptResult::of_value(&7), AttemptResult::of_error(&Mine)]);
    });
}
