//! What breakers promise, one file a behaviour. Time is an argument here: nothing sleeps.
#![cfg(not(recourse_loom))]
mod by_hand;
mod reference;

mod a_glance_shows_what_asking_would_say;
mod a_hung_probe_gives_its_slot_back;
mod a_ratio_opens_the_circuit;
mod a_reference_breaker_agrees;
mod abandoned_attempts_trip_in_the_end;
mod an_observing_breaker_passes_its_glance_on;
mod changed_settings_keep_the_state;
mod circuit_opens_and_closes_again;
mod clock_may_go_backwards;
mod exactly_as_many_probes_as_there_are_slots;
mod exactly_one_probe_among_threads;
mod modes_override_and_are_undone;
mod open_time_grows_and_is_forgotten;
mod settings_out_of_range_are_refused;
mod slow_calls_open_the_circuit;
mod status_tells_counts_and_the_last_trip;
mod threads_count_every_vote;
mod throttled_answers_weigh_less;
