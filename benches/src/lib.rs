//! What a call through recourse costs, beside its peers.
//!
//! ```text
//! cargo xtask bench                        everything below, in this order, within five minutes
//! cargo xtask bench --bench allocations    allocations and bytes a call, and the size of the call's future
//! cargo xtask bench --bench calls          nanoseconds a call, by criterion
//! cargo xtask bench --bench instructions   instructions a call, by valgrind's callgrind
//! ```
//!
//! Behind `--`, `calls` takes criterion's arguments (`-- plain`), `instructions` and `allocations` a part of a case's
//! name. The results of one measured run stand in `docs/reference/benchmarks.md`.
//!
//! # How it is laid out
//!
//! A [`Case`] is a row: what is configured, and which operation runs. A [`Contestant`] is a column: one module in
//! [`contestants`] with one function, `prepare`, that builds the case's policy once and gives back a [`Runner`], or
//! `None` where the contestant can't do what the case asks for. Every bench walks the same two lists, so a new row or
//! column is written once.
//!
//! # What makes it fair
//!
//! - Every contestant runs the same [`operation`], with its state made once and shared by all calls.
//! - A runner makes `n` calls inside one [`block_on`](harness::block_on), a plain poll loop that is the same for all.
//!   It stands inside a tokio runtime, so that timers are really made and registered, and none ever fires.
//! - Each peer is used in the fastest way that its documentation shows. Its module says what it does and doesn't do.
//! - A runner counts its successes and, where the operation fails, its attempts, and panics if they are not what the
//!   case asks for: a budget that has run dry or a breaker that has opened can't pass for speed.
//! - Nobody sleeps: where attempts fail, the waits between them are made and are ready at once.
//!
//! # What to look at
//!
//! Nanoseconds drift with the machine and with what else it does: compare contestants within one run only.
//! Instructions repeat exactly, but a clock read hides in them: 35 instructions are about 28 ns.
//!
//! The package is a workspace of its own with its own lock file, because some peers need a newer Rust than the
//! libraries do.

pub mod case;
pub mod contestant;
pub mod contestants;
pub mod harness;
pub mod operation;
pub mod settings;

pub use case::Case;
pub use contestant::{CONTESTANTS, Contestant};
pub use harness::Runner;
