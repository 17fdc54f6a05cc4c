//! `always`: every error is worth another attempt.

use recourse_core::{AttemptResult, Cancelled, Classifier, Outcome, reason};

/// A value is a success; a timeout and every error are retryable; [`Cancelled`] anywhere in the chain aborts.
///
/// ```
/// use recourse::classify::Always;
/// use recourse::{AttemptResult, Classifier, OutcomeKind};
///
/// let error = std::io::Error::other("reset");
/// assert_eq!(Always.classify(&AttemptResult::of_error(&error)).kind, OutcomeKind::Retryable);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Always;

impl Classifier for Always {
    fn judges_values(&self) -> bool {
        false
    }

    #[inline]
    fn classify(&self, result: &AttemptResult<'_>) -> Outcome {
        if result.is_value() {
            Outcome::success()
        } else if result.timed_out() {
            Outcome::retryable(reason::CONTEXT_DEADLINE_EXCEEDED)
        } else if result.find::<Cancelled>().is_some() {
            Outcome::abort(reason::CONTEXT_CANCELED)
        } else {
            Outcome::retryable(reason::RETRYABLE_ERROR)
        }
    }
}
