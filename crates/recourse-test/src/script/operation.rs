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
        ScriptedCall { operation: Arc::clone(&self.0), number, takes, yields, timer: None, done: false }
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
        let timer = call.timer.get_or_insert_with(|| call.operation.time.wait(call.takes));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Script;
    use futures::future::{join, select};
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::rc::Rc;

    const FIRST: Attempt = Attempt::first();

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn steps_are_taken_in_the_order_of_the_launches_and_the_last_one_repeats() {
        let time = VirtualTime::new();
        let operation = Script::fails(2).then_ok(7).then_fails(1).on(&time);
        let hedge = Attempt::new(0, 1, "", None);
        let results: Vec<_> = [FIRST, hedge, FIRST, FIRST, FIRST]
            .map(|attempt| operation.call(attempt))
            .into_iter()
            .rev()
            .map(|call| time.run(call))
            .collect();
        let failure = |number| Err(ScriptedError::new(number));
        assert_eq!(results, [failure(4), failure(3), Ok(7), failure(1), failure(0)]);
        assert_eq!(operation.calls()[..2], [FIRST, hedge]);
        assert_eq!(ScriptedError::new(3).to_string(), "scripted failure 3");
    }

    #[test]
    fn a_step_takes_its_own_time_or_that_of_all() {
        let time = VirtualTime::new();
        let operation =
            Script::fails(2).takes(ms(5)).then_ok(1).then_ok(2).takes(ms(70)).all_take(ms(100)).on(&time);
        let mut took = Vec::new();
        for _ in 0..4 {
            let before = time.elapsed();
            let _ = time.run(operation.call(FIRST));
            took.push(time.elapsed() - before);
        }
        assert_eq!(took, [ms(5), ms(5), ms(100), ms(70)]);
        let launched: Vec<_> = operation.launched_at().iter().map(|at| at.since(Moment::ZERO)).collect();
        assert_eq!(launched, [ms(0), ms(5), ms(10), ms(110)]);
        assert!(time.sleeps().is_empty());
    }

    #[test]
    fn attempts_in_flight_and_dropped_are_counted() {
        let time = VirtualTime::new();
        let operation = Script::<i32>::never().then_ok(7).takes(ms(5)).on(&time);
        assert_eq!((operation.count(), operation.max_in_flight()), (0, 0));
        time.run(select(operation.call(FIRST), operation.call(FIRST)));
        assert_eq!((operation.count(), operation.in_flight()), (2, 0));
        assert_eq!((operation.dropped(), operation.max_in_flight()), (1, 2));
        assert_eq!(time.pending_sleeps(), 0);

        let unpolled = operation.call(FIRST);
        assert_eq!(operation.in_flight(), 1);
        drop(unpolled);
        assert_eq!((operation.in_flight(), operation.dropped()), (0, 2));
    }

    #[test]
    fn a_panic_is_an_end() {
        let time = VirtualTime::new();
        let operation = Script::<i32>::panics("boom").takes(ms(1)).on(&time);
        let panic = catch_unwind(AssertUnwindSafe(|| time.run(operation.call(FIRST)))).unwrap_err();
        assert_eq!(panic.downcast_ref::<String>().unwrap(), "boom");
        assert_eq!((operation.in_flight(), operation.dropped()), (0, 0));
        assert_eq!(time.elapsed(), ms(1));
    }

    #[test]
    fn errors_may_be_given_or_made_and_values_need_not_be_send() {
        let time = VirtualTime::new();
        let operation = Script::new()
            .then_ok(Rc::new(1))
            .then_err("given".to_owned())
            .then_fails_with(1, |number| format!("made {number}"))
            .then_with(1, |number| Ok(Rc::new(number)))
            .on(&time);
        let results: Vec<_> = (0..4).map(|_| time.run(operation.call(FIRST))).collect();
        let (given, made) = ("given".to_owned(), "made 2".to_owned());
        assert_eq!(results, [Ok(Rc::new(1)), Err(given), Err(made), Ok(Rc::new(3))]);
    }

    #[test]
    fn a_yielding_step_is_pending_so_often_without_time_passing() {
        let time = VirtualTime::new();
        let operation = Script::ok(7).yields(2).on(&time);
        let mut call = time.step(operation.call(FIRST));
        assert!(call.poll_times(2).is_pending());
        assert_eq!(call.poll(), Poll::Ready(Ok(7)));
        assert_eq!(time.elapsed(), Duration::ZERO);
    }

    #[test]
    fn a_call_borrows_nothing_and_is_send_with_its_values() {
        fn launch(time: &VirtualTime) -> impl Future<Output = Result<i32, ScriptedError>> + Send + 'static {
            Script::ok(7).takes(ms(1)).on(time).call(FIRST)
        }
        let time = VirtualTime::new();
        assert_eq!(time.run(join(launch(&time), launch(&time))), (Ok(7), Ok(7)));
        assert_eq!(time.elapsed(), ms(1));
    }

    #[test]
    #[should_panic(expected = "a script needs a step that is done at least once")]
    fn a_script_without_a_step_is_refused() {
        let _ = Script::<i32>::fails(0).on(&VirtualTime::new());
    }

    #[test]
    #[should_panic(expected = "a scripted attempt was polled after it had ended")]
    fn an_ended_attempt_is_not_polled_again() {
        let time = VirtualTime::new();
        let mut call = Script::ok(7).on(&time).call(FIRST);
        assert_eq!(time.run(&mut call), Ok(7));
        let _ = time.run(&mut call);
    }
}
