//! [`ScriptedOperation`]: follows a script and remembers what became of its attempts.

use super::error::ScriptedError;
use super::step::{Does, Step};
use crate::sequence::Sequence;
use crate::time::{Timer, VirtualTime};
use recourse_core::{Attempt, Moment};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

/// An operation that follows a [`Script`](crate::Script) and remembers what became of its attempts. Clones share both.
///
/// Give it to an executor as `|attempt| operation.call(attempt)`.
pub struct ScriptedOperation<T, E = ScriptedError>(Arc<Shared<T, E>>);

struct Shared<T, E> {
    time: VirtualTime,
    takes: Duration,
    steps: Mutex<Sequence<Step<T, E>>>,
    log: Mutex<Log>,
}

#[derive(Debug, Default)]
struct Log {
    calls: Vec<(Attempt, Moment)>,
    in_flight: usize,
    max_in_flight: usize,
    dropped: usize,
}

impl<T, E> ScriptedOperation<T, E> {
    /// An operation that follows these steps, of which there is at least one.
    pub(super) fn new(time: &VirtualTime, takes: Duration, steps: Sequence<Step<T, E>>) -> Self {
        ScriptedOperation(Arc::new(Shared {
            time: time.clone(),
            takes,
            steps: Mutex::new(steps),
            log: Mutex::default(),
        }))
    }

    /// Launches an attempt: takes the next step and counts as in flight, before it is first polled. The future
    /// borrows nothing; its time runs from its first poll.
    pub fn call(&self, attempt: Attempt) -> ScriptedCall<T, E> {
        let now = self.0.time.now();
        let mut log = self.0.log();
        let number = log.calls.len();
        log.calls.push((attempt, now));
        log.in_flight += 1;
        log.max_in_flight = log.max_in_flight.max(log.in_flight);
        drop(log);
        let steps = self.0.steps();
        let step = steps.nth(number);
        let takes = step.and_then(|step| step.takes).unwrap_or(self.0.takes);
        let yields = step.map_or(0, |step| step.yields);
        drop(steps);
        ScriptedCall {
            operation: Arc::clone(&self.0),
            number,
            takes,
            yields,
            timer: None,
            done: false,
        }
    }

    /// Every attempt, in the order in which they were launched.
    #[must_use]
    pub fn calls(&self) -> Vec<Attempt> {
        self.0.log().calls.iter().map(|(attempt, _)| *attempt).collect()
    }

    /// When each attempt was launched.
    #[must_use]
    pub fn launched_at(&self) -> Vec<Moment> {
        self.0.log().calls.iter().map(|(_, moment)| *moment).collect()
    }

    /// How many attempts were launched.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.log().calls.len()
    }

    /// How many attempts have neither ended nor been dropped.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.0.log().in_flight
    }

    /// The most attempts that were ever in flight at once.
    #[must_use]
    pub fn max_in_flight(&self) -> usize {
        self.0.log().max_in_flight
    }

    /// How many attempts were dropped before they ended. A panic is an end.
    #[must_use]
    pub fn dropped(&self) -> usize {
        self.0.log().dropped
    }
}

impl<T, E> Shared<T, E> {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn steps(&self) -> MutexGuard<'_, Sequence<Step<T, E>>> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T, E> Clone for ScriptedOperation<T, E> {
    fn clone(&self) -> Self {
        ScriptedOperation(Arc::clone(&self.0))
    }
}

impl<T, E> fmt::Debug for ScriptedOperation<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ScriptedOperation").field(&*self.0.log()).finish()
    }
}

/// One attempt of a [`ScriptedOperation`].
#[must_use = "an attempt does nothing unless it is awaited"]
pub struct ScriptedCall<T, E = ScriptedError> {
    operation: Arc<Shared<T, E>>,
    number: usize,
    takes: Duration,
    yields: u32,
    timer: Option<Timer>,
    done: bool,
}

impl<T, E> Future for ScriptedCall<T, E> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T, E>> {
        let call = &mut *self;
        assert!(!call.done, "a scripted attempt was polled after it had ended");
        if call.yields > 0 {
            call.yields -= 1;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let timer = call
            .timer
            .get_or_insert_with(|| call.operation.time.wait(call.takes));
        if Pin::new(timer).poll(context).is_pending() {
            return Poll::Pending;
        }
        let operation = Arc::clone(&call.operation);
        let steps = operation.steps();
        let result = match steps.nth(call.number).map(|step| &step.does) {
            None | Some(Does::Never) => return Poll::Pending,
            Some(Does::Value(value, copy)) => Ok(copy(value)),
            Some(Does::Error(error, copy)) => Err(copy(error)),
            Some(Does::Make(make)) => {
                let make = Arc::clone(make);
                drop(steps);
                call.end();
                let number = u32::try_from(call.number).unwrap_or(u32::MAX);
                make.lock().unwrap_or_else(PoisonError::into_inner)(number)
            }
            Some(Does::Panic(message)) => {
                let message = message.clone();
                drop(steps);
                call.end();
                panic!("{message}");
            }
        };
        call.end();
        Poll::Ready(result)
    }
}

impl<T, E> ScriptedCall<T, E> {
    fn end(&mut self) {
        if !self.done {
            self.done = true;
            self.operation.log().in_flight -= 1;
        }
    }
}

impl<T, E> Drop for ScriptedCall<T, E> {
    fn drop(&mut self) {
        if !self.done {
            self.end();
            self.operation.log().dropped += 1;
        }
    }
}

impl<T, E> fmt::Debug for ScriptedCall<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedCall")
            .field("number", &self.number)
            .field("done", &self.done)
            .finish_non_exhaustive()
    }
}
