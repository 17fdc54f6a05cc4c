//! Test kit for recourse: virtual time, scripted operations, recording observer, timeline expectations.

mod expect;
mod plugins;
mod random;
mod recording;
mod script;
mod sequence;
mod time;

pub use expect::{Expectation, expect};
pub use plugins::{
    BudgetAsk, FixedClassifier, Panicking, PluginMethod, ScriptedBreaker, ScriptedBudget, ScriptedTrigger,
};
pub use random::SeededRandom;
pub use recording::{Event, RecordingObserver};
pub use script::{Script, ScriptedCall, ScriptedError, ScriptedOperation};
pub use time::{Stepper, Timer, VirtualTime};
