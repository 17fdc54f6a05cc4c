//! [`CallClock`]: the executor's clock as one call sees it.

use crate::fence::Fence;
use recourse_core::{Clock, Component, Moment};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A clock that can't unwind: where the real one panics, the last good moment stands and the call is told.
pub(crate) struct CallClock<'a> {
    clock: &'a dyn Clock,
    /// The system's own clock needs no fence.
    trusted: bool,
    fence: &'a Fence,
    last: AtomicU64,
    panicked: AtomicBool,
}

impl<'a> CallClock<'a> {
    pub(crate) fn new(clock: &'a dyn Clock, trusted: bool, fence: &'a Fence) -> Self {
        CallClock { clock, trusted, fence, last: AtomicU64::new(0), panicked: AtomicBool::new(false) }
    }

    pub(crate) fn panicked(&self) -> bool {
        self.panicked.load(Ordering::Relaxed)
    }

    /// Reads the clock from a drop, where nothing may unwind.
    pub(crate) fn now_in_drop(&self) -> Moment {
        if self.trusted {
            self.clock.now()
        } else {
            self.keep(self.fence.always(Component::Clock, || self.clock.now()))
        }
    }

    fn keep<P>(&self, read: Result<Moment, P>) -> Moment {
        match read {
            Ok(moment) => {
                self.last.store(moment.as_nanos(), Ordering::Relaxed);
                moment
            }
            Err(_) => {
                self.panicked.store(true, Ordering::Relaxed);
                Moment::from_nanos(self.last.load(Ordering::Relaxed))
            }
        }
    }
}

impl Clock for CallClock<'_> {
    #[inline]
    fn now(&self) -> Moment {
        if self.trusted {
            self.clock.now()
        } else {
            self.keep(self.fence.run(Component::Clock, || self.clock.now()))
        }
    }
}
