//! [`FixedClassifier`]: gives these outcomes, whatever it is shown.

use crate::sequence::Sequence;
use recourse_core::{AttemptResult, Classifier, Outcome};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A classifier that gives this outcome, whatever it is shown; or several, one after the other, of which the last
/// repeats. Clones share it.
///
/// ```
/// use recourse_core::{AttemptResult, Classifier, Outcome};
/// use recourse_test::FixedClassifier;
///
/// let classifier = FixedClassifier::new(Outcome::retryable("not_yet")).then(Outcome::success());
/// let result = AttemptResult::of_value(&7);
/// assert_eq!(classifier.classify(&result).reason, "not_yet");
/// assert_eq!(classifier.classify(&result), Outcome::success());
/// assert_eq!(classifier.seen(), ["AttemptResult::Value(i32)", "AttemptResult::Value(i32)"]);
/// ```
#[derive(Clone)]
pub struct FixedClassifier(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    outcomes: Sequence<Outcome>,
    seen: Vec<String>,
    idempotent: Vec<Option<bool>>,
}

impl FixedClassifier {
    /// Gives this outcome.
    #[must_use]
    pub fn new(outcome: Outcome) -> Self {
        let mut outcomes = Sequence::new();
        outcomes.push(1, outcome);
        FixedClassifier(Arc::new(Mutex::new(State { outcomes, seen: Vec::new(), idempotent: Vec::new() })))
    }

    /// Then this one.
    #[must_use]
    pub fn then(self, outcome: Outcome) -> Self {
        self.lock().outcomes.push(1, outcome);
        self
    }

    /// What it was shown, in order, as [`AttemptResult`] prints itself.
    #[must_use]
    pub fn seen(&self) -> Vec<String> {
        self.lock().seen.clone()
    }

    /// What the call site had said of repeating the operation, for each result that it was shown.
    #[must_use]
    pub fn idempotent(&self) -> Vec<Option<bool>> {
        self.lock().idempotent.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Classifier for FixedClassifier {
    fn classify(&self, result: &AttemptResult<'_>) -> Outcome {
        let mut state = self.lock();
        let outcome = state.outcomes.nth(state.seen.len()).cloned();
        state.seen.push(format!("{result:?}"));
        state.idempotent.push(result.idempotent());
        outcome.unwrap_or_else(Outcome::unknown)
    }
}

impl fmt::Debug for FixedClassifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FixedClassifier").field("seen", &self.lock().seen).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use recourse_core::Cancelled;

    #[test]
    fn the_last_outcome_repeats_and_everything_shown_is_kept() {
        let classifier = FixedClassifier::new(Outcome::abort("a")).then(Outcome::abort("b"));
        let results = [
            AttemptResult::of_timeout(),
            AttemptResult::of_error(&Cancelled).with_idempotent(Some(false)),
            AttemptResult::of_value(&1_u8),
        ];
        let reasons: Vec<_> = results.iter().map(|result| classifier.classify(result).reason).collect();
        assert_eq!(reasons, ["a", "b", "b"]);
        assert_eq!(classifier.seen()[..2], ["AttemptResult::TimedOut", "AttemptResult::Error(Cancelled)"]);
        assert_eq!(classifier.idempotent(), [None, Some(false), None]);
    }
}
