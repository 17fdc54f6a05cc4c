//! Model checks: every interleaving of a few threads on one breaker. To run them:
//!
//! ```text
//! RUSTFLAGS="--cfg loom" cargo test -p recourse-circuit --release --test loom_breakers
//! ```
#[cfg(loom)]
mod interleavings;
