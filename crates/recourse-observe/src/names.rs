//! Every name that telemetry is written in: attributes, fields and callbacks. Stable for v1.x; plugins may add their
//! own attributes.
//!
//! The codes that stand as *values* are in [`recourse_core::reason`].
//!
//! ```
//! use recourse_core::{Key, Moment, Timeline};
//! use recourse_observe::names;
//!
//! let mut timeline = Timeline::new(Key::from_static("payments.Charge"), Moment::ZERO);
//! timeline.attributes.set(names::POLICY_SOURCE, "static");
//! assert_eq!(timeline.to_string().lines().last(), Some("  policy_source=static"));
//! ```

macro_rules! names {
    ($($group:ident, $what:literal { $($name:ident = $text:literal, $meaning:literal;)* })*) => {
        $($(#[doc = concat!("`", $text, "`: ", $meaning, ".")] pub const $name: &str = $text;)*)*

        $(#[doc = concat!($what, ": each with its meaning.")]
        pub const $group: &[(&str, &str)] = &[$(($text, $meaning)),*];)*

        /// Every name with its meaning, in the order of the groups.
        ///
        /// ```
        /// assert!(recourse_observe::names::ALL.iter().any(|(name, _)| *name == "policy_source"));
        /// ```
        pub const ALL: &[(&str, &str)] = &[$($(($text, $meaning)),*),*];
    };
}

names! {
    TIMELINE_ATTRIBUTES, "Attributes of a timeline" {
        POLICY_SOURCE = "policy_source", "where the policy came from: static, remote, lkg, default or unknown";
        POLICY_MODE = "policy_mode", "how the policy was found: standard, or what stands in for a missing one: allow, deny or fallback";
        POLICY_NORMALIZED_FIELDS = "policy_normalized_fields", "dotted paths of the policy fields that normalisation changed, separated by commas";
        POLICY_ERROR = "policy_error", "why the provider had no usable policy";
        CLASSIFIER_ERROR = "classifier_error", "classifier_not_found, where a missing classifier ends the call; beside it stands classifier_name";
        TRIGGER_NOT_FOUND = "trigger_not_found", "the hedge trigger that the policy names and that is not registered";
        BREAKER_FALLBACK = "breaker_fallback", "the circuit breaker that stands in for a missing one";
        CIRCUIT_STATE = "circuit_state", "the state of a circuit that rejected an attempt: open or half_open";
        CIRCUIT_REASON = "circuit_reason", "a circuit breaker's own code for a rejection, where it is none of the standard ones";
        CIRCUIT_OBSERVED_REJECTION = "circuit_observed_rejection", "true where an attempt was let through by a circuit that observes, and would have been rejected";
        STATE_CAPPED = "state_capped", "true where the cap of keys is reached, and the call runs without breaker and latencies";
        NESTED = "nested", "the call ran inside an attempt of another call: in_retryable_attempt where that may be retried, or in_last_attempt";
        HEDGING = "hedging", "why a call whose policy hedges runs unhedged: off_one_at_a_time (the operation borrows) or off_half_open";
    }
    OUTCOME_ATTRIBUTES, "Attributes of an outcome" {
        CLASSIFIER_NOT_FOUND = "classifier_not_found", "true where the policy names a classifier that is not registered";
        CLASSIFIER_NAME = "classifier_name", "the classifier that the policy names and that is not registered";
        CLASSIFIER_FALLBACK = "classifier_fallback", "the classifier that stands in for a missing one: default";
        EXPECTED_TYPE = "expected_type", "the type that the classifier judges";
        GOT_TYPE = "got_type", "the type that the operation returned";
        STATUS = "status", "the HTTP status; 0 where no answer arrived";
        METHOD = "method", "the HTTP method";
        RETRY_AFTER = "retry_after", "the wait that the server asked for";
        GRPC_CODE = "grpc_code", "the gRPC status by its name";
    }
    FIELDS, "Fields of timelines, attempt records and events" {
        KEY = "key", "the call's key";
        POLICY_ID = "policy_id", "the policy's id";
        START = "start", "when the call or the attempt started";
        END = "end", "when it ended";
        ATTRIBUTES = "attributes", "low-cardinality names and values";
        ATTEMPTS = "attempts", "how many attempts were launched, hedges included";
        HEDGES = "hedges", "how many hedges were launched";
        DENIED = "denied", "how many attempts were not allowed to start";
        DURATION_MS = "duration_ms", "how long the call took, in milliseconds";
        STOP = "stop", "why the call ended, as a reason code";
        ERROR = "error", "the error as text";
        ATTEMPT = "attempt", "the attempt's index, from 0; the same for all of a group";
        IS_HEDGE = "is_hedge", "whether the attempt is a hedge";
        HEDGE_INDEX = "hedge_index", "0 for the primary, 1 and up for hedges";
        ENDING = "ending", "how the attempt ended: won, failed, timed_out, superseded, cancelled, denied or panicked";
        OUTCOME = "outcome", "what the classifier said of an attempt; of a call: success or failure";
        BACKOFF = "backoff", "the wait before the attempt";
        BUDGET_ALLOWED = "budget_allowed", "whether the budget allowed the attempt";
        BUDGET_REASON = "budget_reason", "why, as a reason code";
        KIND = "kind", "what the attempt is for its budget: retry or hedge";
        BUDGET = "budget", "the budget's name";
        COST = "cost", "what the attempt costs its budget";
        MODE = "mode", "how a decision came about: standard, allow, deny, fallback, allow_unsafe or unknown";
        ALLOWED = "allowed", "whether the attempt may start";
        REASON = "reason", "why, as a reason code";
        FROM = "from", "the circuit's state before a transition; where a mode was set it may be the one after it, too";
        TO = "to", "the circuit's state after it";
        CAUSE = "cause", "why the circuit changed its state; where a mode was set, the mode's name";
        AT = "at", "when the circuit changed its state";
    }
    CALLBACKS, "Callbacks of an observer" {
        ON_START = "on_start", "a call starts";
        ON_ATTEMPT = "on_attempt", "an attempt has ended, or was denied";
        ON_HEDGE_SPAWN = "on_hedge_spawn", "a hedge is launched";
        ON_HEDGE_CANCEL = "on_hedge_cancel", "a hedge was dropped before it ended";
        ON_BUDGET_DECISION = "on_budget_decision", "a budget that the policy names was asked, or is missing";
        ON_CIRCUIT_TRANSITION = "on_circuit_transition", "the key's circuit changed its state, or was given another mode";
        ON_STATE_CAPPED = "on_state_capped", "the call runs without a breaker and without latencies";
        ON_SUCCESS = "on_success", "the call has succeeded";
        ON_FAILURE = "on_failure", "the call has failed or was dropped";
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_in_snake_case_and_have_a_meaning() {
        let mut seen = HashSet::new();
        for (name, meaning) in ALL {
            assert!(seen.insert(name), "{name} stands twice");
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
            assert!(!meaning.is_empty() && !meaning.ends_with('.'), "{name}");
        }
    }

    #[test]
    fn the_table_is_made_of_its_groups() {
        let groups = [TIMELINE_ATTRIBUTES, OUTCOME_ATTRIBUTES, FIELDS, CALLBACKS];
        assert_eq!(groups.concat(), ALL);
    }

    #[test]
    fn the_names_are_those_that_core_writes() {
        use recourse_core::{AttemptResult, Cancelled, type_mismatch};
        let outcome = type_mismatch("HttpFailure", &AttemptResult::of_error(&Cancelled));
        let written: Vec<&str> = outcome.attributes.iter().map(|(name, _)| name).collect();
        assert_eq!(written, [EXPECTED_TYPE, GOT_TYPE]);
    }
}
