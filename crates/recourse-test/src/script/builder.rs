//! [`Script`]: what an operation does, attempt by attempt.

use super::error::ScriptedError;
use super::operation::ScriptedOperation;
use super::step::{Does, Step};
use crate::sequence::Sequence;
use crate::time::VirtualTime;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What an operation does, attempt by attempt.
///
/// Each launched attempt, hedges included, takes the next step; the last step repeats. A step is ready at once unless
/// it [`takes`](Self::takes) time. [`on`](Self::on) makes it an operation.
///
/// ```
/// use recourse_core::Attempt;
/// use recourse_test::{Script, VirtualTime};
/// use std::time::Duration;
///
/// let time = VirtualTime::new();
/// let operation = Script::fails(2).then_ok(7).takes(Duration::from_millis(30)).on(&time);
/// let call = || time.run(operation.call(Attempt::first()));
/// assert!(call().is_err());
/// assert!(call().is_err());
/// assert_eq!(call(), Ok(7));
/// assert_eq!(operation.count(), 3);
/// assert_eq!(time.elapsed(), Duration::from_millis(30));
/// ```
#[must_use = "a script does nothing until it is put `on` a time"]
pub struct Script<T, E = ScriptedError> {
    steps: Sequence<Step<T, E>>,
    takes: Duration,
}

impl<T: 'static> Script<T> {
    /// Begins with `times` failures, each a [`ScriptedError`].
    pub fn fails(times: u32) -> Self {
        Script::new().then_fails(times)
    }

    /// Begins with this value.
    pub fn ok(value: T) -> Self
    where
        T: Clone,
    {
        Script::new().then_ok(value)
    }

    /// Begins with an attempt that is pending for ever.
    pub fn never() -> Self {
        Script::new().then_never()
    }

    /// Begins with a panic.
    pub fn panics(message: impl Into<String>) -> Self {
        Script::new().then_panics(message)
    }

    /// Then `times` failures, each a [`ScriptedError`].
    pub fn then_fails(self, times: u32) -> Self {
        self.then_fails_with(times, ScriptedError::new)
    }
}

impl<T: 'static, E: 'static> Script<T, E> {
    /// Without a step yet: the way to begin with a success where the errors are not [`ScriptedError`]s.
    ///
    /// ```
    /// use recourse_test::{Script, VirtualTime};
    ///
    /// let operation = Script::new().then_ok(7).then_err("gone").on(&VirtualTime::new());
    /// # let _: recourse_test::ScriptedOperation<u32, &str> = operation;
    /// ```
    pub fn new() -> Self {
        Script { steps: Sequence::new(), takes: Duration::ZERO }
    }

    /// Begins with `times` failures. `make` is given the attempt's number in the order of the launches, from 0.
    ///
    /// ```
    /// use recourse_core::{Attempt, HttpFailure};
    /// use recourse_test::{Script, VirtualTime};
    ///
    /// let time = VirtualTime::new();
    /// let operation = Script::fails_with(1, |_| HttpFailure::new(503, "GET")).then_ok("body").on(&time);
    /// assert_eq!(time.run(operation.call(Attempt::first())).unwrap_err().status(), 503);
    /// assert_eq!(time.run(operation.call(Attempt::first())).unwrap(), "body");
    /// ```
    pub fn fails_with(times: u32, make: impl FnMut(u32) -> E + Send + 'static) -> Self {
        Script::new().then_fails_with(times, make)
    }

    /// Then this value.
    pub fn then_ok(self, value: T) -> Self
    where
        T: Clone,
    {
        self.then(1, Does::Value(value, T::clone))
    }

    /// Then this error.
    pub fn then_err(self, error: E) -> Self
    where
        E: Clone,
    {
        self.then(1, Does::Error(error, E::clone))
    }

    /// Then `times` failures, made as in [`fails_with`](Self::fails_with).
    pub fn then_fails_with(self, times: u32, mut make: impl FnMut(u32) -> E + Send + 'static) -> Self {
        self.then_with(times, move |number| Err(make(number)))
    }

    /// Then `times` results of any kind. `make` is given the attempt's number in the order of the launches, from 0.
    pub fn then_with(self, times: u32, make: impl FnMut(u32) -> Result<T, E> + Send + 'static) -> Self {
        self.then(times, Does::Make(Arc::new(Mutex::new(make))))
    }

    /// Then an attempt that is pending for ever.
    pub fn then_never(self) -> Self {
        self.then(1, Does::Never)
    }

    /// Then a panic, in the poll in which the step ends.
    pub fn then_panics(self, message: impl Into<String>) -> Self {
        self.then(1, Does::Panic(message.into()))
    }

    /// The step just written takes this much virtual time; after `fails(2)`, each of the two.
    pub fn takes(mut self, time: Duration) -> Self {
        if let Some(step) = self.steps.last_mut() {
            step.takes = Some(time);
        }
        self
    }

    /// Every step that doesn't say otherwise takes this much virtual time.
    pub fn all_take(mut self, time: Duration) -> Self {
        self.takes = time;
        self
    }

    /// The step just written is pending that many times and wakes itself, before it goes on; no time passes.
    pub fn yields(mut self, polls: u32) -> Self {
        if let Some(step) = self.steps.last_mut() {
            step.yields = polls;
        }
        self
    }

    /// The operation that follows this script in this time.
    ///
    /// # Panics
    ///
    /// If the script has no step, or every step is done zero times.
    #[track_caller]
    pub fn on(self, time: &VirtualTime) -> ScriptedOperation<T, E> {
        assert!(self.steps.nth(0).is_some(), "a script needs a step that is done at least once");
        ScriptedOperation::new(time, self.takes, self.steps)
    }

    fn then(mut self, times: u32, does: Does<T, E>) -> Self {
        let step = Step { does, takes: None, yields: 0 };
        self.steps.push(times, step);
        self
    }
}

impl<T: 'static, E: 'static> Default for Script<T, E> {
    fn default() -> Self {
        Script::new()
    }
}

impl<T, E> fmt::Debug for Script<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").field("all_take", &self.takes).finish_non_exhaustive()
    }
}
