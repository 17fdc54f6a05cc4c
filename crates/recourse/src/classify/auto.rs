//! `auto`: `http` where an HTTP failure is found, else `always`.

use super::{Always, Http};
use recourse_core::{AttemptResult, Classifier, HttpFailure, Outcome};

/// Judges as [`Http`] where an [`HttpFailure`] stands anywhere in the error's chain, and as [`Always`] elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Auto {
    http: Http,
}

impl Auto {
    /// With [`Http`] as it is by default.
    #[must_use]
    pub fn new() -> Self {
        Auto::default()
    }

    /// With an [`Http`] of your own.
    #[must_use]
    pub fn with_http(http: Http) -> Self {
        Auto { http }
    }
}

impl Classifier for Auto {
    fn judges_values(&self) -> bool {
        self.http.judges_values()
    }

    fn classify(&self, result: &AttemptResult<'_>) -> Outcome {
        if result.is_value() || result.find::<HttpFailure>().is_some() {
            self.http.classify(result)
        } else {
            Always.classify(result)
        }
    }
}
