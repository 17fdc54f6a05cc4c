//! What a call through recourse costs, beside its peers.
//!
//! ```text
//! cargo xtask bench                everything, within five minutes; writes docs/reference/benchmarks.md
//! cargo xtask bench hedge plain    the rows whose names contain one of these, to the terminal, with the functions
//!                                  in which their calls by handle spend their instructions
//! cargo xtask bench --check        instructions, allocations and stores of recourse against the committed ones
//! cargo xtask bench --render       writes the page again from the committed numbers and the notes
//! ```
//!
//! # How it is laid out
//!
//! A [`Case`] is a row: what is configured, and which operation runs. A [`Contestant`] is a column: one module in
//! [`contestants`] that builds the case's policy once and gives back a [`Runner`], or `None` where it can't do what the
//! case asks for. Its `DOES` and `DOES_NOT` stand on the page. Every bench walks the same two lists, [`CASES`] and
//! [`COLUMNS`], so a new row or column is written once.
//!
//! Five programs measure, and print what they find as lines of tab-separated fields that `cargo xtask bench` reads:
//! `allocations` (allocations, sizes of futures, memory per key), `instructions` (by valgrind's callgrind, of a call or,
//! with `--functions`, of each function in it), `stores` (by valgrind's lackey: what a call writes that threads could
//! share), `calls` (nanoseconds, by criterion; it leaves them in criterion's files) and `threads` (several threads that
//! share a policy). `size/` has two programs whose difference is what recourse adds to a binary. `notes.md` is the part of
//! the page that is written by hand, `baseline.json` what the last run has measured.
//!
//! # What makes it fair
//!
//! - Every contestant runs the same [`operation`], with its state made once and shared by all calls.
//! - A runner makes `n` calls inside one [`block_on`](harness::block_on), a plain poll loop that is the same for all.
//!   It stands inside a tokio runtime, so that timers are really made and registered, and none ever fires.
//! - Each peer is used in the fastest way that its documentation shows. Its module says what it does and doesn't do.
//! - One contestant is no peer but a floor: [`SameDuties`](contestants::SameDuties) does by hand, for one row alone, what
//!   recourse promises in it. A test of its own holds it to the attempts that recourse makes.
//! - A runner counts its successes and, where the operation fails, its attempts, and panics if they are not what the
//!   case asks for: a budget that has run dry or a breaker that has opened can't pass for speed.
//! - A contestant runs the same code alone and with other threads. A second instance of it beside the first would keep
//!   the compiler from inlining either, which costs some peers a fifth of their instructions.
//! - Nobody sleeps: where attempts fail, the waits between them are made and are ready at once.
//! - Nanoseconds are measured in rounds over all rows and contestants, so that a slow minute of the machine is
//!   everybody's, and a row's contestants are measured one right after the other.
//!
//! # What to look at
//!
//! Nanoseconds drift with the machine and with what else it does: compare contestants within one run only.
//! Instructions repeat exactly, but a clock read hides in them: 35 instructions are about 28 ns.
//!
//! The package is a workspace of its own with its own lock file, because some peers need a newer Rust than the
//! libraries do.

pub mod callgrind;
pub mod case;
pub mod columns;
pub mod contestant;
pub mod contestants;
pub mod elf;
pub mod harness;
pub mod lackey;
pub mod operation;
pub mod own;
pub mod selection;
pub mod settings;
pub mod threads;
pub mod valgrind;

pub use case::{CASES, Case};
pub use columns::{COLUMNS, column};
pub use contestant::{Column, Contestant};
pub use harness::Runner;
pub use selection::Selection;
