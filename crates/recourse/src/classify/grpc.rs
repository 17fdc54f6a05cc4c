//! `grpc`: by status code.

use super::Auto;
use recourse_core::{AttemptResult, Classifier, GrpcCode, GrpcFailure, Health, Label, Outcome, reason};
use recourse_observe::names;

/// Judges by the [`GrpcFailure`] in the error's chain; an error without one is judged as by [`Auto`].
///
/// The server's pushback is obeyed as gRFC A6 says: a wait replaces the backoff, and a refusal ends the call.
///
/// ```
/// use recourse::classify::Grpc;
/// use recourse::{AttemptResult, Classifier, GrpcCode, GrpcFailure};
///
/// let outcome = Grpc.classify(&AttemptResult::of_error(&GrpcFailure::new(GrpcCode::Unavailable)));
/// assert_eq!(outcome.reason, "grpc_Unavailable");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Grpc;

impl Classifier for Grpc {
    fn judges_values(&self) -> bool {
        false
    }

    fn classify(&self, result: &AttemptResult<'_>) -> Outcome {
        let Some(failure) = result.find::<GrpcFailure>() else {
            return Auto::new().classify(result);
        };
        let code = failure.code();
        let outcome = match code {
            GrpcCode::Cancelled => Outcome::abort(reason::CONTEXT_CANCELED),
            _ if failure.forbids_retry() => {
                let health = retryable(code).unwrap_or_else(|| Outcome::non_retryable(code.reason())).health;
                Outcome::non_retryable(reason::SERVER_DO_NOT_RETRY).with_health(health)
            }
            _ => retryable(code).unwrap_or_else(|| Outcome::non_retryable(code.reason())),
        };
        let outcome = outcome.with_attribute(names::GRPC_CODE, Label::from_static(code.name()));
        match failure.server_delay() {
            Some(wait) if outcome.kind == recourse_core::OutcomeKind::Retryable => outcome.with_backoff(wait),
            _ => outcome,
        }
    }
}

fn retryable(code: GrpcCode) -> Option<Outcome> {
    match code {
        GrpcCode::Unavailable => Some(Outcome::retryable(code.reason())),
        GrpcCode::ResourceExhausted => Some(Outcome::retryable(code.reason()).with_health(Health::Throttled)),
        GrpcCode::DeadlineExceeded => Some(Outcome::retryable(reason::CONTEXT_DEADLINE_EXCEEDED)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use recourse_core::{HttpFailure, OutcomeKind};
    use std::time::Duration;

    fn judge(failure: &GrpcFailure) -> Outcome {
        Grpc.classify(&AttemptResult::of_error(failure))
    }

    #[test]
    fn every_code_has_its_outcome_of_the_contract() {
        for &code in GrpcCode::ALL {
            let outcome = judge(&GrpcFailure::new(code));
            let (kind, reason) = match code {
                GrpcCode::Unavailable | GrpcCode::ResourceExhausted => {
                    (OutcomeKind::Retryable, code.reason())
                }
                GrpcCode::DeadlineExceeded => (OutcomeKind::Retryable, "context_deadline_exceeded"),
                GrpcCode::Cancelled => (OutcomeKind::Abort, "context_canceled"),
                _ => (OutcomeKind::NonRetryable, code.reason()),
            };
            assert_eq!((outcome.kind, outcome.reason.as_str()), (kind, reason), "{code}");
            assert_eq!(outcome.attributes.get("grpc_code"), Some(code.name()));
        }
    }

    #[test]
    fn pushback_is_obeyed() {
        let wait = Duration::from_secs(3);
        let asked = judge(&GrpcFailure::new(GrpcCode::Unavailable).retry_after(wait));
        assert_eq!(asked.backoff, Some(wait));
        let refused = judge(&GrpcFailure::new(GrpcCode::Unavailable).do_not_retry());
        assert_eq!((refused.kind, refused.health), (OutcomeKind::NonRetryable, Health::Down));
        assert_eq!(refused.reason, "server_do_not_retry");
    }

    #[test]
    fn an_error_without_a_grpc_status_goes_to_auto() {
        let http = HttpFailure::new(503, "GET");
        assert_eq!(Grpc.classify(&AttemptResult::of_error(&http)).reason, "http_5xx");
        assert_eq!(Grpc.classify(&AttemptResult::of_timeout()).reason, "context_deadline_exceeded");
        assert_eq!(Grpc.classify(&AttemptResult::of_value(&1)).kind, OutcomeKind::Success);
    }
}
