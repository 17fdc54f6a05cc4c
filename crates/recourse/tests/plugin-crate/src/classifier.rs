//! [`ByTheDoor`]: a classifier, and the error that it looks for.

use recourse_core::{AttemptResult, Classifier, Outcome, type_mismatch};
use std::fmt;
use std::time::Duration;

/// The shop is closed, for good or for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShopClosed {
    /// When it opens again; `None` for never.
    pub opens_in: Option<Duration>,
}

impl fmt::Display for ShopClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.opens_in {
            Some(wait) => write!(f, "closed, opens in {wait:?}"),
            None => f.write_str("closed for good"),
        }
    }
}

impl std::error::Error for ShopClosed {}

/// Reads the sign on the door: a shop that opens again is worth another try, at that time and not before.
#[derive(Clone, Copy, Debug)]
pub struct ByTheDoor;

impl Classifier for ByTheDoor {
    fn classify(&self, result: &AttemptResult<'_>) -> Outcome {
        if result.is_value() {
            return Outcome::success();
        }
        match result.find::<ShopClosed>() {
            Some(ShopClosed { opens_in: Some(wait) }) => {
                Outcome::retryable("closed_for_now").with_backoff(*wait)
            }
            Some(_) => Outcome::non_retryable("closed_for_good"),
            None if result.timed_out() => Outcome::retryable("nobody_answered"),
            None => type_mismatch("ShopClosed", result),
        }
    }
}
