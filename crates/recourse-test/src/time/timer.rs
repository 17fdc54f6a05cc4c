//! [`Timer`], a future that waits for virtual time, and the timers that are armed.

use recourse_core::Moment;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// A virtual clock's hands and every live timer.
///
/// Timers hang on `passed`, which only grows, and not on `now`, so that a jump of the clock leaves them alone.
#[derive(Debug, Default)]
pub(super) struct Timers {
    /// What the clock shows.
    pub(super) now: Moment,
    /// How much time has passed, jumps of the clock left out.
    pub(super) passed: Moment,
    /// Every sleep that was asked for through the `Sleeper`.
    pub(super) asked: Vec<Duration>,
    /// How often the `Clock` was read.
    pub(super) reads: u64,
    armed: BTreeMap<(Moment, u64), Option<Waker>>,
    next_id: u64,
}

/// The timers as they are shared by a clock, its clones and its timers.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared(Arc<Mutex<Timers>>);

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, Timers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A timer that counts from now.
    pub(super) fn arm(&self, wait: Duration) -> Timer {
        let mut timers = self.lock();
        let due = timers.passed + wait;
        let id = timers.next_id;
        timers.next_id += 1;
        if due > timers.passed {
            timers.armed.insert((due, id), None);
        }
        drop(timers);
        Timer { timers: self.clone(), due, id }
    }

    /// Lets `step` pass, and wakes whoever waits for a timer that became due, in the order of the timers.
    pub(super) fn advance(&self, step: Duration) {
        let mut timers = self.lock();
        timers.now = timers.now + step;
        timers.passed = timers.passed + step;
        let later = (timers.passed, u64::MAX);
        let mut due = timers.armed.split_off(&later);
        std::mem::swap(&mut due, &mut timers.armed);
        drop(timers);
        // A waker may read the clock, so it is woken outside the lock.
        due.into_values().flatten().for_each(Waker::wake);
    }
}

impl Timers {
    /// How far away the earliest live timer is.
    pub(super) fn next(&self) -> Option<Duration> {
        let ((due, _), _) = self.armed.first_key_value()?;
        Some(due.since(self.passed))
    }

    /// How many timers are live.
    pub(super) fn live(&self) -> usize {
        self.armed.len()
    }
}

/// A future that is ready once its virtual time has passed. It counts from the moment at which it was made; dropping
/// it leaves no timer behind. See [`VirtualTime::wait`](crate::VirtualTime::wait).
#[must_use = "a timer does nothing unless it is awaited"]
pub struct Timer {
    timers: Shared,
    due: Moment,
    id: u64,
}

impl Future for Timer {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut timers = self.timers.lock();
        if timers.passed >= self.due {
            return Poll::Ready(());
        }
        let waker = context.waker().clone();
        let before = timers.armed.insert((self.due, self.id), Some(waker));
        drop(timers);
        drop(before);
        Poll::Pending
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let waker = self.timers.lock().armed.remove(&(self.due, self.id));
        drop(waker);
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left = self.due.since(self.timers.lock().passed);
        f.debug_struct("Timer").field("left", &left).finish()
    }
}
