//! Triggers in a simulated service: how much load they add.

mod an_extra_load_is_met_and_never_exceeded;
mod hedging_at_a_quantile_adds_the_load_that_it_says;
mod service;
