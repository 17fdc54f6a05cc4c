//! What every classifier must keep to.

use super::unwinding::survives;
use recourse_core::{
    AttemptResult, Cancelled, Classifier, GrpcCode, GrpcFailure, HttpFailure, Label, Outcome, OutcomeKind,
};
use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

/// Asserts that a classifier has an answer to everything: values of many types, HTTP and gRPC failures of every code,
/// cancellations, I/O errors of many kinds, errors that wrap others, errors of a type that it has never heard of, and
/// timeouts; each with a call that may be repeated, may not, and doesn't say. See [`classifier_judges`] for what is asserted
/// of each answer. Of an error that it doesn't know, no text may get into reasons or attributes: they are labels of
/// telemetry, and must have few values.
///
/// ```
/// use recourse_core::Outcome;
/// use recourse_test::{FixedClassifier, invariants};
///
/// invariants::classifier_is_total(&FixedClassifier::new(Outcome::retryable("busy")));
/// ```
///
/// # Panics
///
/// If that is not so.
#[track_caller]
pub fn classifier_is_total(classifier: &dyn Classifier) {
    classifier_judges(
        classifier,
        &[
            AttemptResult::of_value(&()),
            AttemptResult::of_value(&7_u32),
            AttemptResult::of_value(&"text"),
            AttemptResult::of_value(&String::from("text")),
            AttemptResult::of_value(&None::<u32>),
            AttemptResult::of_value(&Ok::<u32, u32>(7)),
            AttemptResult::of_value(&vec![0_u8; 3]),
            AttemptResult::of_error(&Cancelled),
            AttemptResult::of_timeout(),
        ],
    );
    for status in 0..=599 {
        for method in ["GET", "POST", "", "no method"] {
            let failure = HttpFailure::new(status, method);
            let delayed = HttpFailure::new(status, method).retry_after(Duration::MAX).do_not_retry();
            let (within, nothing) = (Wraps(HttpFailure::new(status, method)), Duration::ZERO);
            let at_once = HttpFailure::new(status, method).retry_after(nothing);
            let errors = [
                AttemptResult::of_error(&failure),
                AttemptResult::of_error(&delayed),
                AttemptResult::of_error(&at_once),
                AttemptResult::of_error(&within),
            ];
            classifier_judges(classifier, &errors);
        }
    }
    for code in GRPC {
        let (failure, within) = (GrpcFailure::new(code), Wraps(GrpcFailure::new(code)));
        classifier_judges(classifier, &[AttemptResult::of_error(&failure), AttemptResult::of_error(&within)]);
    }
    for kind in [io::ErrorKind::TimedOut, io::ErrorKind::NotFound, io::ErrorKind::Other] {
        let (error, within) = (io::Error::from(kind), io::Error::new(kind, Wraps(Cancelled)));
        let boxed: Box<dyn Error + Send + Sync> = Box::new(Wraps(Cancelled));
        let errors = [
            AttemptResult::of_error(&error),
            AttemptResult::of_error(&within),
            AttemptResult::of_error(&boxed),
        ];
        classifier_judges(classifier, &errors);
    }
    keeps_texts_out(classifier);
}

/// Asserts of each result that the classifier has an answer: that it doesn't panic, that it says the same when it is asked
/// again, that the answer has a reason, that a timeout is no success, and that values are successes if it says that it
/// doesn't judge them. Each result is judged with a call that may be repeated, may not, and doesn't say.
///
/// ```
/// use recourse_core::{AttemptResult, Outcome};
/// use recourse_test::{FixedClassifier, invariants};
///
/// let classifier = FixedClassifier::new(Outcome::retryable("busy"));
/// let error = std::io::Error::other("disk full");
/// invariants::classifier_judges(&classifier, &[AttemptResult::of_error(&error), AttemptResult::of_value(&7)]);
/// ```
///
/// # Panics
///
/// If that is not so.
#[track_caller]
pub fn classifier_judges(classifier: &dyn Classifier, results: &[AttemptResult<'_>]) {
    let judges_values = survives("judges_values", || classifier.judges_values());
    for result in results {
        for idempotent in [None, Some(true), Some(false)] {
            let result = result.with_idempotent(idempotent);
            let classify = || survives(format_args!("classify: {result:?}"), || classifier.classify(&result));
            let outcome = classify();
            let again = classify();
            assert!(outcome == again, "{result:?} is {outcome:?}, and the next time {again:?}");
            assert!(!outcome.reason.is_empty(), "{result:?} is {outcome:?}, without a reason");
            let succeeds = outcome.kind == OutcomeKind::Success;
            assert!(!result.timed_out() || !succeeds, "a timeout is a success");
            assert!(
                !result.is_value() || judges_values || succeeds,
                "it says that it doesn't judge values, and {result:?} is {outcome:?}"
            );
        }
    }
}

/// Two errors of one type that differ in their text alone are told apart by nothing that telemetry counts by.
#[track_caller]
fn keeps_texts_out(classifier: &dyn Classifier) {
    let outcomes = ["5e2f8a", "c01d99"].map(|id| {
        let error = Unheard(id);
        survives(format_args!("classify: {error}"), || classifier.classify(&AttemptResult::of_error(&error)))
    });
    for (outcome, id) in outcomes.iter().zip(["5e2f8a", "c01d99"]) {
        for text in texts(outcome) {
            assert!(!text.contains(id), "the text of an error is in a label of telemetry: {text:?}");
        }
    }
}

fn texts(outcome: &Outcome) -> Vec<Label> {
    let attributes = outcome.attributes.iter().map(|(_, value)| value.to_owned().into());
    attributes.chain([outcome.reason.clone()]).collect()
}

/// An error that no classifier has heard of.
#[derive(Debug)]
struct Unheard(&'static str);

impl fmt::Display for Unheard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "request {} of user {} failed", self.0, self.0)
    }
}

impl Error for Unheard {}

/// An error round another one.
#[derive(Debug)]
struct Wraps<E>(E);

impl<E: Error> fmt::Display for Wraps<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a wrapper of {}", self.0)
    }
}

impl<E: Error + 'static> Error for Wraps<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

const GRPC: [GrpcCode; 17] = [
    GrpcCode::Ok,
    GrpcCode::Cancelled,
    GrpcCode::Unknown,
    GrpcCode::InvalidArgument,
    GrpcCode::DeadlineExceeded,
    GrpcCode::NotFound,
    GrpcCode::AlreadyExists,
    GrpcCode::PermissionDenied,
    GrpcCode::ResourceExhausted,
    GrpcCode::FailedPrecondition,
    GrpcCode::Aborted,
    GrpcCode::OutOfRange,
    GrpcCode::Unimplemented,
    GrpcCode::Internal,
    GrpcCode::Unavailable,
    GrpcCode::DataLoss,
    GrpcCode::Unauthenticated,
];
