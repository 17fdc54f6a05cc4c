//! Model checks: every interleaving of a few threads on one breaker. `cargo xtask model` runs them.
#[cfg(recourse_loom)]
mod glances;
#[cfg(recourse_loom)]
mod interleavings;
