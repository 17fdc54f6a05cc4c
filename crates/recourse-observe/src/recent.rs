//! [`Recent`]: the latest calls, kept for whoever asks.

use parking_lot::Mutex;
use recourse_core::{Observer, Timeline};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

/// Keeps the timelines of the latest calls, for a debug page. A clone shows and fills the same store.
///
/// It keeps up to `capacity` calls, and of the failed ones up to `capacity` as well: a thousand successes don't push
/// out the failure that somebody looks for. So it holds up to twice `capacity` timelines; each call costs a copy of its
/// timeline and a short lock.
///
/// ```
/// use recourse_core::{Key, Moment, Observer, Timeline};
/// use recourse_observe::Recent;
///
/// let recent = Recent::new(100)?;
/// // Hand `recent.clone()` to the executor; here a call is told by hand.
/// recent.on_success(&Timeline::new(Key::from_static("payments.Charge"), Moment::ZERO));
///
/// let page: Vec<String> = recent.timelines().iter().map(Timeline::to_string).collect();
/// assert_eq!(page, ["payments.Charge success in 0, 0 attempts"]);
/// # Ok::<(), recourse_observe::CapacityError>(())
/// ```
#[derive(Clone)]
pub struct Recent {
    capacity: usize,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    all: VecDeque<Arc<Timeline>>,
    failures: VecDeque<Arc<Timeline>>,
}

impl Recent {
    /// Keeps nothing yet.
    ///
    /// # Errors
    ///
    /// [`CapacityError`] if the capacity is 0.
    pub fn new(capacity: usize) -> Result<Self, CapacityError> {
        if capacity == 0 {
            return Err(CapacityError { given: capacity });
        }
        Ok(Recent { capacity, kept: Arc::default() })
    }

    /// How many calls are kept, and how many failed ones.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The latest calls, the oldest first.
    #[must_use]
    pub fn timelines(&self) -> Vec<Timeline> {
        copies(|| self.kept.lock().all.clone())
    }

    /// The latest failed calls, the oldest first; some of them may be older than any of
    /// [`timelines`](Self::timelines).
    #[must_use]
    pub fn failures(&self) -> Vec<Timeline> {
        copies(|| self.kept.lock().failures.clone())
    }

    /// Forgets every call.
    pub fn clear(&self) {
        let forgotten = std::mem::take(&mut *self.kept.lock());
        drop(forgotten);
    }

    fn keep(&self, timeline: &Timeline, failed: bool) {
        let timeline = Arc::new(timeline.clone());
        let mut kept = self.kept.lock();
        let pushed_out = [
            failed.then(|| push(&mut kept.failures, Arc::clone(&timeline), self.capacity)),
            Some(push(&mut kept.all, timeline, self.capacity)),
        ];
        // Timelines are freed outside the lock.
        drop(kept);
        drop(pushed_out);
    }
}

/// The timelines are copied after the lock is free.
fn copies(take: impl FnOnce() -> VecDeque<Arc<Timeline>>) -> Vec<Timeline> {
    take().iter().map(|timeline| Timeline::clone(timeline)).collect()
}

/// Adds behind the others; what no longer fits is handed back.
fn push(
    ring: &mut VecDeque<Arc<Timeline>>,
    timeline: Arc<Timeline>,
    capacity: usize,
) -> Option<Arc<Timeline>> {
    let pushed_out = if ring.len() == capacity { ring.pop_front() } else { None };
    ring.push_back(timeline);
    pushed_out
}

impl Observer for Recent {
    fn on_success(&self, timeline: &Timeline) {
        self.keep(timeline, false);
    }
    fn on_failure(&self, timeline: &Timeline) {
        self.keep(timeline, true);
    }
}

impl fmt::Debug for Recent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recent").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

/// A capacity that could keep nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CapacityError {
    /// The capacity as it was given.
    pub given: usize,
}

impl fmt::Display for CapacityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "capacity = {} is not allowed: at least 1", self.given)
    }
}

impl std::error::Error for CapacityError {}
