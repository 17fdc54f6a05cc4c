//! [`CallClock`]: the executor's clock as one call sees it.

use crate::fence::PanicError;
use crate::shared::Shared;
use recourse_core::{Clock, Component, Moment};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// A clock that can't unwind where panics are recovered: then it shows its origin, and the call is told.
pub(crate) struct CallClock<'a> {
    shared: &'a Shared,
    panicked: OnceLock<Box<PanicError>>,
    /// Set while the clock is read: still set where its panic unwinds.
    reading: AtomicBool,
}

impl<'a> CallClock<'a> {
    pub(crate) fn new(shared: &'a Shared) -> Self {
        CallClock { shared, panicked: OnceLock::new(), reading: AtomicBool::new(false) }
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
        self.keep(self.shared.fence.always(Component::Clock, || self.shared.clock.now()))
    }

    fn keep(&self, read: Result<Moment, PanicError>) -> Moment {
        read.unwrap_or_else(|panic| {
            let _ = self.panicked.set(Box::new(panic));
            Moment::ZERO
        })
    }
}

impl Clock for CallClock<'_> {
    #[inline]
    fn now(&self) -> Moment {
        // The system's own clock needs no fence.
        if self.shared.clock_trusted {
            return self.shared.clock.now();
        }
        self.reading.store(true, Ordering::Relaxed);
        let read = self.shared.fence.run(Component::Clock, || self.shared.clock.now());
        self.reading.store(false, Ordering::Relaxed);
        self.keep(read)
    }
}
