//! Plugins that follow a script, and remember what they were asked: for tests of whoever uses plugins.
//!
//! | type | plays |
//! |---|---|
//! | [`ScriptedBudget`] | a budget that allows and denies in turn, and counts the permits that are out |
//! | [`ScriptedBreaker`] | a circuit breaker that admits and rejects in turn, and checks that every ticket comes back |
//! | [`ScriptedTrigger`] | a hedge trigger that gives these answers |
//! | [`FixedClassifier`] | a classifier that gives these outcomes |
//! | [`Panicking`] | every plugin there is, with a panic in the [`PluginMethod`]s of your choice |
//!
//! Clones of each share their script and their memory: give one to the executor, and ask the other.

mod breaker;
mod budget;
mod classifier;
mod panicking;
mod trigger;

pub use self::breaker::ScriptedBreaker;
pub use self::budget::{BudgetAsk, ScriptedBudget};
pub use self::classifier::FixedClassifier;
pub use self::panicking::{Panicking, PluginMethod};
pub use self::trigger::ScriptedTrigger;
