//! One call: what to do next ([`decide`], pure), and the shell that does it.
//!
//! ```text
//! owned    where an operation's futures stand, several at once; borrowed: one at a time
//! entry    how a first attempt is let through that asks nobody; pass: one that asks a breaker of our own, or is timed
//! rest     what a call needs that was not over at once
//! driver   polls the operation's futures, hands their results to the engine
//! engine   asks and tells plugins, keeps time, obeys decide; permit, gates, waiting, verdict and closing are its parts
//! decide   which attempt, hedge, wait or end comes next: no clock, no randomness, no I/O
//! state    what a call changes while it runs; held: with its plan, given back when dropped
//! nesting  whether a call runs inside an attempt of another
//! recorder the one caller of observers
//! ```

mod backoff;
mod borrowed;
mod builder;
mod clock;
mod closing;
mod decide;
mod driver;
mod engine;
mod entry;
mod gates;
mod hedger;
mod held;
mod nesting;
mod open;
mod owned;
mod pass;
mod permit;
mod recorder;
mod rest;
mod site;
mod state;
mod timer;
mod verdict;
mod waiting;

pub(crate) use self::backoff::BackoffRules;
pub use self::builder::Call;
pub(crate) use self::decide::Rules;
pub(crate) use self::nesting::Nesting;
pub(crate) use self::recorder::Audience;
