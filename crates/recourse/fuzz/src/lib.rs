//! What `recourse` promises of any input, as functions that take bytes and panic where a promise is broken.
//!
//! | module | input | promise |
//! |---|---|---|
//! | [`key`] | texts, parted by line ends | a text is a key in one way, or an error that says what is allowed |
//! | [`policy_file`] | JSON or TOML | it is a set of policies that can be written and read again, or an error with its place |
//! | [`policy_values`] | fields of a policy | normalising brings each inside its limits, once and for all, and says what it changed |
//! | [`retry_after`] | lines: `Retry-After`, `Date`, status, method | a wait that was asked for is kept to the nanosecond, or ends the call |
//! | [`timeline`] | a timeline | it prints line by line, each attempt on one, and no text forges a line |
//!
//! A fuzzer drives each through the program of its name in `fuzz_targets`; `tests/corpus.rs` replays the kept inputs
//! without one. [`TARGETS`] lists them, and `corpus/<name>` holds their inputs.

pub mod key;
pub mod policy_file;
pub mod policy_values;
pub mod retry_after;
pub mod timeline;

mod limits;
mod lines;
mod logfmt_reader;
mod program;

#[cfg(fuzzing)]
#[doc(hidden)]
pub use libfuzzer_sys;

pub use self::program::replay;

/// Tries one input.
pub type Check = fn(&[u8]);

/// Every target by its name.
pub const TARGETS: &[(&str, Check)] = &[
    ("key", key::check),
    ("policy_file", policy_file::check),
    ("policy_values", policy_values::check),
    ("retry_after", retry_after::check),
    ("timeline", timeline::check),
];
