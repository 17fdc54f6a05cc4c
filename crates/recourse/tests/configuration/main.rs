//! Configuration: building an executor, what is missing, where policies come from, waits, keys, `explain`.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod a_running_call_keeps_its_plan;
mod bad_keys_end_the_call_at_its_start;
mod building_reports_every_problem;
mod circuits_follow_their_policy;
mod explain_promises_no_less_than_happens;
mod explain_says_what_would_happen;
mod handles_see_every_change;
mod key_spellings_share_one_state;
mod keys_are_capped;
mod missing_breaker_obeys_its_mode;
mod missing_budget_obeys_its_mode;
mod missing_classifier_obeys_its_mode;
mod missing_policy_obeys_its_mode;
mod missing_trigger_obeys_its_mode;
mod normalising_keeps_policies_in_bounds;
mod providers_are_asked_when_they_must_be;
mod providers_hand_out_policies_as_written;
mod registries_may_be_shared;
mod retry_after_headers_are_waits;
mod scene;
mod server_delays_are_honoured;
mod source;
mod static_policies_can_be_changed;
mod strict_builders_refuse_what_would_be_changed;
mod timelines_say_where_the_policy_came_from;
#[cfg(feature = "tokio")]
mod tokio_sleeper_needs_no_runtime;
mod waits_follow_the_policy;
