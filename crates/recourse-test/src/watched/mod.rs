//! Plugins that watch another one at work: they hand everything on, and say at the end whether all that was taken has
//! come back.
//!
//! | type | stands round | [`assert_settled`](WatchedBudget::assert_settled) says |
//! |---|---|---|
//! | [`WatchedBudget`] | a budget | whether each attempt that it allowed came back, and was told of, exactly once |
//! | [`WatchedBreakers`] | a kind of breaker | whether each admission was reported or given up exactly once |
//! | [`WatchedCalls`] | nothing: it is an observer | whether each call that started has ended exactly once, in good form |

mod breakers;
mod budget;
mod calls;

pub use self::breakers::WatchedBreakers;
pub use self::budget::WatchedBudget;
pub use self::calls::WatchedCalls;
