//! `http`: by status, method and `Retry-After`.

use recourse_core::{
    AttemptResult, Cancelled, Classifier, Health, HttpFailure, Label, Outcome, OutcomeKind, reason,
    type_mismatch,
};
use recourse_observe::names;
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// Judges by the [`HttpFailure`] in the error's chain.
///
/// Transport errors, 5xx, 408, 425, 429 and every extra status are retryable for GET, HEAD, PUT, DELETE, OPTIONS and
/// TRACE (RFC 9110, section 9.2.2), and `http_non_idempotent` for any other method. A positive `Retry-After` on any
/// retryable answer replaces the backoff. A value is a success, unless [`read_value`](Http::read_value) finds a failing
/// status in it.
///
/// ```
/// use recourse::classify::Http;
/// use recourse::{AttemptResult, Classifier, HttpFailure, OutcomeKind};
///
/// let busy = HttpFailure::new(503, "GET");
/// assert_eq!(Http::new().classify(&AttemptResult::of_error(&busy)).reason, "http_5xx");
///
/// let charge = HttpFailure::new(503, "POST");
/// let outcome = Http::new().classify(&AttemptResult::of_error(&charge));
/// assert_eq!((outcome.kind, outcome.reason.as_str()), (OutcomeKind::NonRetryable, "http_non_idempotent"));
/// ```
#[derive(Clone, Default)]
pub struct Http {
    extra: Vec<u16>,
    readers: Vec<Arc<Reader>>,
}

type Reader = dyn Fn(&dyn Any) -> Option<HttpFailure> + Send + Sync;

impl Http {
    /// As registered under `http`.
    #[must_use]
    pub fn new() -> Self {
        Http::default()
    }

    /// Treats one more 4xx status as retryable, with reason `http_<status>`.
    #[must_use]
    pub fn retry_status(mut self, status: u16) -> Self {
        self.extra.push(status);
        self
    }

    /// Looks for a status in values of type `T`: what the closure returns is judged as an error would be.
    ///
    /// ```
    /// use recourse::classify::Http;
    /// use recourse::{AttemptResult, Classifier, HttpFailure};
    ///
    /// struct Response { status: u16 }
    /// let http = Http::new().read_value(|r: &Response| Some(HttpFailure::new(r.status, "GET")));
    /// assert_eq!(http.classify(&AttemptResult::of_value(&Response { status: 503 })).reason, "http_5xx");
    /// assert_eq!(http.classify(&AttemptResult::of_value(&Response { status: 200 })).reason, "success");
    /// ```
    #[must_use]
    pub fn read_value<T: 'static>(
        mut self,
        read: impl Fn(&T) -> Option<HttpFailure> + Send + Sync + 'static,
    ) -> Self {
        self.readers.push(Arc::new(move |value| value.downcast_ref().and_then(&read)));
        self
    }

    fn judge(&self, failure: &HttpFailure) -> Outcome {
        let status = failure.status();
        if (200..300).contains(&status) {
            return noted(Outcome::success(), failure);
        }
        let health = match status {
            0 | 408 | 500..=599 => Health::Down,
            429 => Health::Throttled,
            _ => Health::Up,
        };
        let Some(reason) = self.retryable(status) else {
            return noted(
                Outcome::non_retryable(reason::HTTP_NON_RETRYABLE_STATUS).with_health(health),
                failure,
            );
        };
        let outcome = if failure.forbids_retry() {
            Outcome::non_retryable(reason::SERVER_DO_NOT_RETRY)
        } else if !idempotent(failure.method()) {
            Outcome::non_retryable(reason::HTTP_NON_IDEMPOTENT)
        } else {
            Outcome::retryable(reason)
        };
        let outcome = noted(outcome.with_health(health), failure);
        match failure.server_delay() {
            Some(wait) if outcome.kind == OutcomeKind::Retryable && !wait.is_zero() => {
                outcome.with_attribute(names::RETRY_AFTER, format!("{wait:?}")).with_backoff(wait)
            }
            _ => outcome,
        }
    }

    /// The reason of a status that is worth another attempt.
    fn retryable(&self, status: u16) -> Option<Label> {
        Some(match status {
            0 => reason::HTTP_TRANSPORT_ERROR.into(),
            500..=599 => reason::HTTP_5XX.into(),
            408 => reason::HTTP_408.into(),
            425 => reason::HTTP_425.into(),
            429 => reason::HTTP_429.into(),
            400..=499 if self.extra.contains(&status) => format!("http_{status}").into(),
            _ => return None,
        })
    }
}

fn idempotent(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "PUT" | "DELETE" | "OPTIONS" | "TRACE")
}

fn noted(outcome: Outcome, failure: &HttpFailure) -> Outcome {
    outcome
        .with_attribute(names::STATUS, failure.status().to_string())
        .with_attribute(names::METHOD, failure.method().clone())
}

impl Classifier for Http {
    fn judges_values(&self) -> bool {
        !self.readers.is_empty()
    }

    fn classify(&self, result: &AttemptResult<'_>) -> Outcome {
        if let Some(value) = result.any_value() {
            let failure = self.readers.iter().find_map(|read| read(value));
            return failure.map_or_else(Outcome::success, |failure| self.judge(&failure));
        }
        if result.timed_out() {
            return if result.idempotent() == Some(false) {
                Outcome::non_retryable(reason::HTTP_NON_IDEMPOTENT).with_health(Health::Down)
            } else {
                Outcome::retryable(reason::CONTEXT_DEADLINE_EXCEEDED)
            };
        }
        if let Some(failure) = result.find::<HttpFailure>() {
            self.judge(failure)
        } else if result.find::<Cancelled>().is_some() {
            Outcome::abort(reason::CONTEXT_CANCELED)
        } else {
            type_mismatch("HttpFailure", result)
        }
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("extra", &self.extra).field("readers", &self.readers.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn judge(failure: HttpFailure) -> Outcome {
        Http::new().classify(&AttemptResult::of_error(&failure))
    }

    #[test]
    fn each_status_has_its_outcome_of_the_contract() {
        use OutcomeKind::{NonRetryable, Retryable, Success};
        for (status, kind, reason, health) in [
            (0, Retryable, "http_transport_error", Health::Down),
            (204, Success, "success", Health::Up),
            (301, NonRetryable, "http_non_retryable_status", Health::Up),
            (400, NonRetryable, "http_non_retryable_status", Health::Up),
            (408, Retryable, "http_408", Health::Down),
            (425, Retryable, "http_425", Health::Up),
            (429, Retryable, "http_429", Health::Throttled),
            (500, Retryable, "http_5xx", Health::Down),
            (599, Retryable, "http_5xx", Health::Down),
        ] {
            let outcome = judge(HttpFailure::new(status, "GET"));
            assert_eq!(
                (outcome.kind, outcome.reason.as_str(), outcome.health),
                (kind, reason, health),
                "{status}"
            );
        }
    }

    #[test]
    fn only_idempotent_methods_are_retried_and_the_vote_stays() {
        for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"] {
            assert_eq!(judge(HttpFailure::new(503, method)).kind, OutcomeKind::Retryable, "{method}");
        }
        for method in ["POST", "PATCH", "CONNECT", ""] {
            let outcome = judge(HttpFailure::transport(method));
            assert_eq!((outcome.kind, outcome.health), (OutcomeKind::NonRetryable, Health::Down), "{method}");
            assert_eq!(outcome.reason, "http_non_idempotent");
        }
    }

    #[test]
    fn retry_after_is_honoured_on_503_425_and_429() {
        let wait = Duration::from_secs(7);
        for status in [503, 425, 429] {
            let outcome = judge(HttpFailure::new(status, "GET").retry_after(wait));
            assert_eq!(outcome.backoff, Some(wait), "{status}");
            assert_eq!(outcome.attributes.get("retry_after"), Some("7s"));
        }
        assert_eq!(judge(HttpFailure::new(503, "GET").retry_after(Duration::ZERO)).backoff, None);
        assert_eq!(judge(HttpFailure::new(404, "GET").retry_after(wait)).backoff, None);
    }

    #[test]
    fn an_explicit_do_not_retry_wins() {
        let outcome = judge(HttpFailure::new(503, "GET").retry_after(Duration::from_secs(1)).do_not_retry());
        assert_eq!(
            (outcome.kind, outcome.reason.as_str()),
            (OutcomeKind::NonRetryable, "server_do_not_retry")
        );
        assert_eq!((outcome.health, outcome.backoff), (Health::Down, None));
    }

    #[test]
    fn an_extra_status_is_retryable_under_its_own_reason() {
        let http = Http::new().retry_status(423);
        let outcome = http.classify(&AttemptResult::of_error(&HttpFailure::new(423, "GET")));
        assert_eq!((outcome.kind, outcome.reason.as_str()), (OutcomeKind::Retryable, "http_423"));
    }

    #[test]
    fn a_timeout_is_retried_unless_the_call_is_marked_non_idempotent() {
        let timeout = AttemptResult::of_timeout();
        assert_eq!(Http::new().classify(&timeout).reason, "context_deadline_exceeded");
        let marked = Http::new().classify(&timeout.with_idempotent(Some(false)));
        assert_eq!((marked.kind, marked.reason.as_str()), (OutcomeKind::NonRetryable, "http_non_idempotent"));
        assert_eq!(marked.health, Health::Down);
    }

    #[test]
    fn an_unknown_error_type_is_a_configuration_error() {
        let outcome = Http::new().classify(&AttemptResult::of_error(&std::fmt::Error));
        assert_eq!(outcome.reason, "classifier_type_mismatch");
        assert_eq!(outcome.attributes.get("expected_type"), Some("HttpFailure"));
        assert_eq!(outcome.attributes.get("got_type"), Some("core::fmt::Error"));
        assert_eq!(Http::new().classify(&AttemptResult::of_value(&"anything")).kind, OutcomeKind::Success);
    }
}
