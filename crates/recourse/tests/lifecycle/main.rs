//! How a call lives and ends: breakers, panics, records, stops, cancellation, shapes of operations, load.

mod breaker_is_asked_and_told_per_attempt;
mod deadlines_are_planned;
mod dropped_call_gives_everything_back;
mod error_types_need_no_line;
mod every_stop_has_its_reason;
mod futures_are_send_when_their_parts_are;
mod futures_are_small;
mod last_result_is_never_lost;
mod operation_panics_are_told_alike_unwatched;
mod operation_panics_unwind_to_the_caller;
mod operation_sees_its_attempt;
mod plain_calls_are_free;
mod plugin_panics_in_a_drop_are_fenced;
mod plugins_are_objects;
mod plugins_need_core_alone;
mod probes_never_wedge_the_circuit;
mod random_calls_keep_every_promise;
mod recovered_plugin_panics_never_unwind;
mod registries_change_while_calls_run;
mod runtimes_are_not_required;
mod scene;
mod stage;
mod thousand_calls_share_an_executor;
mod timeline_tells_every_attempt;
mod unrecovered_plugin_panics_leave_nothing_behind;
mod watching_changes_no_decision;
