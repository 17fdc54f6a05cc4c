//! Every reason code that `recourse` itself writes, but for two families: [`GrpcCode::reason`](crate::GrpcCode::reason)
//! (`grpc_<Code>`), and `http_<status>` for a status that a classifier was told to retry. The codes are stable for v1.x; plugins may add their own.

macro_rules! reasons {
    ($($name:ident = $code:literal, $meaning:literal;)*) => {
        $(#[doc = concat!("`", $code, "`: ", $meaning, ".")] pub const $name: &str = $code;)*

        /// Every code with its meaning, in the order of this page.
        ///
        /// ```
        /// assert!(recourse_core::reason::ALL.iter().any(|(code, _)| *code == "budget_denied"));
        /// ```
        pub const ALL: &[(&str, &str)] = &[$(($code, $meaning)),*];
    };
}

reasons! {
    SUCCESS = "success", "the attempt succeeded";
    RETRYABLE_ERROR = "retryable_error", "the attempt failed and may be retried";
    NON_RETRYABLE_ERROR = "non_retryable_error", "the attempt failed and must not be retried";
    ABORT = "abort", "the call must end now";
    UNKNOWN_OUTCOME = "unknown_outcome", "the classifier could not say; treated as abort";
    CONTEXT_DEADLINE_EXCEEDED = "context_deadline_exceeded", "the attempt ran out of its time";
    CONTEXT_CANCELED = "context_canceled", "the operation or its caller cancelled, or another attempt ended the group";
    CLASSIFIER_TYPE_MISMATCH = "classifier_type_mismatch", "the classifier does not know this error type";
    HTTP_TRANSPORT_ERROR = "http_transport_error", "no HTTP answer arrived";
    HTTP_5XX = "http_5xx", "the server answered 500 to 599";
    HTTP_408 = "http_408", "the server answered 408 Request Timeout";
    HTTP_425 = "http_425", "the server answered 425 Too Early";
    HTTP_429 = "http_429", "the server answered 429 Too Many Requests";
    HTTP_NON_IDEMPOTENT = "http_non_idempotent", "worth a retry, but the request is not safe to repeat";
    HTTP_NON_RETRYABLE_STATUS = "http_non_retryable_status", "the server's answer does not change by asking again";
    SERVER_DO_NOT_RETRY = "server_do_not_retry", "the server said explicitly not to retry";
    ALLOWED = "allowed", "the budget allowed the attempt";
    NO_BUDGET = "no_budget", "the policy names no budget";
    BUDGET_NOT_FOUND = "budget_not_found", "the policy names a budget that is not registered";
    BUDGET_REGISTRY_NIL = "budget_registry_nil", "there is no budget registry; kept for the contract, not written by this version";
    BUDGET_NIL = "budget_nil", "the registry holds nothing under the budget's name; kept for the contract, not written by this version";
    BUDGET_DENIED = "budget_denied", "the budget denied the attempt";
    CIRCUIT_OPEN = "circuit_open", "the circuit breaker is open";
    CIRCUIT_HALF_OPEN_PROBE_LIMIT = "circuit_half_open_probe_limit", "the breaker is half-open and its probe is taken";
    BREAKER_NOT_FOUND = "breaker_not_found", "the policy names a circuit breaker that is not registered";
    CLASSIFIER_NOT_FOUND = "classifier_not_found", "the policy names a classifier that is not registered";
    TRIGGER_NOT_FOUND = "trigger_not_found", "the policy names a hedge trigger that is not registered; the name of an attribute, too";
    ATTEMPTS_EXHAUSTED = "attempts_exhausted", "the last allowed attempt failed";
    LEFT_TO_OUTER = "left_to_outer", "the attempt failed, and the call in whose attempt this call runs may retry";
    NON_RETRYABLE = "non_retryable", "an attempt failed in a way that must not be retried";
    OVERALL_TIMEOUT = "overall_timeout", "the overall deadline cut an attempt in flight";
    DEADLINE_WOULD_PASS = "deadline_would_pass", "the next wait would outlast the overall deadline";
    SERVER_DELAY_TOO_LONG = "server_delay_too_long", "the server asked for a longer wait than the policy allows";
    NO_POLICY = "no_policy", "no policy was found for the key";
    INVALID_KEY = "invalid_key", "the key's text is not a key";
    ACCEPTED = "accepted", "the classifier calls the operation's error a success";
    PANIC_IN_PROVIDER = "panic_in_provider", "the policy provider panicked";
    PANIC_IN_CLASSIFIER = "panic_in_classifier", "the classifier panicked";
    PANIC_IN_BUDGET = "panic_in_budget", "the budget panicked; counted as a denial";
    PANIC_IN_TRIGGER = "panic_in_trigger", "the hedge trigger panicked; no hedge";
    PANIC_IN_BREAKER = "panic_in_breaker", "the circuit breaker panicked; the attempt is admitted";
    PANIC_IN_OBSERVER = "panic_in_observer", "an observer panicked; ignored";
    PANIC_IN_SLEEPER = "panic_in_sleeper", "the sleeper panicked";
    PANIC_IN_CLOCK = "panic_in_clock", "the clock panicked";
    PANIC_IN_OPERATION = "panic_in_operation", "the operation panicked; the panic goes on to the caller";
    POLICY_NOT_FOUND = "policy_not_found", "the provider has no policy for the key";
    PROVIDER_UNAVAILABLE = "provider_unavailable", "the provider can't be reached";
    POLICY_FETCH_FAILED = "policy_fetch_failed", "the provider answered with something unusable";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    #[test]
    fn codes_are_unique_and_in_snake_case() {
        let mut seen = HashSet::new();
        for (code, meaning) in super::ALL {
            assert!(seen.insert(code), "{code} stands twice");
            assert!(
                code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'),
                "{code}"
            );
            assert!(!meaning.is_empty());
        }
    }
}
