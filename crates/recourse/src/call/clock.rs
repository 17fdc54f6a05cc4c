//! [`CallClock`]: the executor's clock as one call sees it.

use crate::fence::{Fence, PanicError};
use recourse_core::{Clock, Component, Moment};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A clock that can't unwind: where the real one panics, the last good moment stands and the call is told.
pub(crate) struct CallClock<'a> {
    clock: &'a dyn Clock,
    /// The system's own clock needs no fence.
    trusted: bool,
    fence: &'a Fence,
    last: AtomicU64,
    panicked: OnceLock<Box<PanicError>>,
    /// Set while the clock is read: still set where its panic unwinds.
    reading: AtomicBool,
}

impl<'a> CallClock<'a> {
    pub(crate) fn new(clock: &'a dyn Clock, trusted: bool, fence: &'a Fence) -> Self {
        CallClock {
            clock,
            trusted,
            fence,
            last: AtomicU64::new(0),
            panicked: OnceLock::new(),
            reading: AtomicBool::new(false),
        }
    }

    /// The clock's first panic in this call.
    #[inline]
    pub(crate) fn panicked(&self) -> Option<PanicError> {
        self.panicked.get().map(|panic| PanicError::clone(panic))
    }

    /// Whether the clock's panic unwinds through the call.
    pub(crate) fn unwinds(&self) -> bool {
        self.reading.load(Ordering::Relaxed)
    }

    /// Reads the clock from a drop, where nothing may unwind.
    pub(crate) fn now_in_drop(&self) -> Moment {
        if self.trusted {
            self.clock.now()
        } else {
            self.keep(self.fence.always(Component::Clock, || self.clock.now()))
        }
    }

    fn keep(&self, read: Result<Moment, PanicError>) -> Moment {
        match read {
            Ok(moment) => {
                self.last.store(moment.as_nanos(), Ordering::Relaxed);
                moment
            }
            Err(panic) => {
                let _ = self.panicked.set(Box::new(panic));
                Moment::from_nanos(self.last.load(Ordering::Relaxed))
            }
        }
    }
}

impl Clock for CallClock<'_> {
    #[inline]
    fn now(&self) -> Moment {
        if self.trusted {
            return self.clock.now();
        }
        self.reading.store(true, Ordering::Relaxed);
        let read = self.fence.run(Component::Clock, || self.clock.now());
        self.reading.store(false, Ordering::Relaxed);
        self.keep(read)
    }
}
