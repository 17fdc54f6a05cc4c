//! How a call lives and ends: breakers, panics, records, stops, cancellation, shapes of operations, load.

mod breaker_is_asked_and_told_per_attempt;
mod dropped_call_gives_everything_back;
mod probes_never_wedge_the_circuit;
mod scene;
