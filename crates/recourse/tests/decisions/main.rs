//! What a call decides: how it judges results, when it tries again, what budgets allow, and when it hedges.
//!
//! | file | behaviour |
//! |---|---|
//! | `stage` | what the tests play on |
//! | the others | the behaviour that they are named after |

mod breaker_hears_each_outcomes_vote;
mod budget_hears_that_a_timeout_is_retried;
mod budget_is_asked_once_an_attempt;
mod budget_may_leave_first_attempts_alone;
mod classifier_decides_what_happens_next;
mod denied_hedge_leaves_the_primary_alone;
mod denied_retry_keeps_the_last_error;
mod errors_are_found_in_the_source_chain;
mod failed_group_takes_the_most_severe_outcome;
mod first_success_wins;
mod hedge_budgets_hear_of_first_attempts;
mod hedges_are_launched_in_time;
mod hedges_on_failure_start_at_once;
mod hedges_start_when_the_trigger_says;
mod lots_are_drawn_when_attempts_start;
mod missing_budget_fails_closed;
mod permit_is_given_back_exactly_once;
mod policy_names_its_classifier;
mod quantile_triggers_follow_real_latencies;
mod retries_are_hedged_too;
mod retries_wait_as_the_policy_says;
mod server_delay_replaces_the_backoff;
mod stage;
mod token_bucket_pays_for_retries_and_hedges;
mod values_can_be_failures;
mod watching_changes_nothing;
