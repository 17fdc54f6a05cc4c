//! Test kit for `recourse`: time that passes only when nothing else is left to do, operations that follow a script,
//! plugins that remember what they were asked, and expectations with readable differences. No test sleeps, and none
//! needs a runtime.
//!
//! | to | use |
//! |---|---|
//! | run a call in virtual time | [`VirtualTime`], as the executor's clock and sleeper; [`VirtualTime::run`] |
//! | drop a call in the middle | [`VirtualTime::step`] and [`Stepper`] |
//! | play the other side | [`Script`] and [`ScriptedOperation`] |
//! | hear what a call did | [`RecordingObserver`] and [`Event`] |
//! | say what a call should have done | [`expect`] |
//! | play a plugin | [`ScriptedBudget`], [`ScriptedBreaker`], [`ScriptedTrigger`], [`FixedClassifier`] |
//! | play a plugin that panics | [`Panicking`] |
//! | see that all that was taken comes back | [`WatchedBudget`], [`WatchedBreakers`], [`WatchedCalls`] |
//! | check a plugin of your own | [`invariants`] |
//! | try many inputs | [`SeededRandom`] |
//!
//! Everything here is made of the traits of `recourse-core`, so it also tests a plugin on its own. An executor takes
//! the pieces as they are: `.clock(time.clone()).sleeper(time.clone()).observer(observer.clone())`, and an operation
//! as `|attempt| operation.call(attempt)`. Clones share what they are clones of: give one away, and ask the other.
//!
//! # A retry in virtual time
//!
//! ```
//! use recourse_core::{Attempt, Sleeper};
//! use recourse_test::{Script, ScriptedError, ScriptedOperation, VirtualTime};
//! use std::time::Duration;
//!
//! /// The code under test: three attempts, a minute apart.
//! async fn patient(operation: &ScriptedOperation<u32>, sleeper: &dyn Sleeper) -> Result<u32, ScriptedError> {
//!     for index in 0..2 {
//!         if let Ok(value) = operation.call(Attempt::new(index, 0, "", None)).await {
//!             return Ok(value);
//!         }
//!         sleeper.sleep(Duration::from_secs(60)).await;
//!     }
//!     operation.call(Attempt::new(2, 0, "", None)).await
//! }
//!
//! let time = VirtualTime::new();
//! let operation = Script::fails(1).takes(Duration::from_secs(5)).then_ok(7).on(&time);
//!
//! assert_eq!(time.run(patient(&operation, &time)), Ok(7));
//! assert_eq!(operation.count(), 2);
//! assert_eq!(time.sleeps(), [Duration::from_secs(60)]);
//! assert_eq!(time.elapsed(), Duration::from_secs(65));
//!
//! // Dropped after any number of polls, it leaves nothing behind.
//! for polls in 0..4 {
//!     let operation = Script::<u32>::fails(3).takes(Duration::from_secs(5)).on(&time);
//!     let mut call = time.step(patient(&operation, &time));
//!     assert!(call.poll_times(polls).is_pending());
//!     drop(call);
//!     assert_eq!((operation.in_flight(), time.pending_sleeps()), (0, 0), "after {polls} polls");
//! }
//! ```
//!
//! # Threads
//!
//! Everything may be shared between threads, but [`VirtualTime::run`] and [`Stepper`] drive one future on one thread:
//! what another thread would wake counts as a deadlock.

mod expect;
pub mod invariants;
mod plugins;
mod random;
mod recording;
mod script;
mod sequence;
mod time;
mod watched;

pub use expect::{Expectation, expect};
pub use plugins::{
    BudgetAsk, FixedClassifier, Panicking, PluginMethod, ScriptedBreaker, ScriptedBudget, ScriptedTrigger,
};
pub use random::SeededRandom;
pub use recording::{Event, RecordingObserver};
pub use script::{Script, ScriptedCall, ScriptedError, ScriptedOperation};
pub use time::{Stepper, Timer, VirtualTime};
pub use watched::{WatchedBreakers, WatchedBudget, WatchedCalls};
