//! [`CallClock`]: a clock that is not our own, as one call sees it.

use crate::fence::{ClockPanicked, PanicError};
use crate::shared::Shared;
use recourse_core::{Clock, Component, Moment};
use std::panic::resume_unwind;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// Reads a foreign clock and remembers its first panic.
///
/// A panic of the clock under a plugin's hands goes through the plugin, up to the fence round it: so no plugin ever sees
/// a time that is none, and its state stays as it was.
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
    pub(crate) fn panicked(&self) -> Option<PanicError> {
        self.panicked.get().map(|panic| PanicError::clone(panic))
    }

    /// Whether the clock's panic unwinds through the call.
    pub(crate) fn unwinds(&self) -> bool {
        self.reading.load(Ordering::Relaxed)
    }

    /// Reads the clock; where it panics and panics are recovered, the answer is `floor`.
    pub(crate) fn read(&self, floor: Moment) -> Moment {
        self.try_read().unwrap_or(floor)
    }

    /// Reads the clock from a drop, where nothing may unwind.
    pub(crate) fn read_in_drop(&self, floor: Moment) -> Moment {
        self.keep(self.shared.fence.always(Component::Clock, || self.shared.clock.now())).unwrap_or(floor)
    }

    fn try_read(&self) -> Option<Moment> {
        self.reading.store(true, Ordering::Relaxed);
        let read = self.shared.fence.run(Component::Clock, || self.shared.clock.now());
        self.reading.store(false, Ordering::Relaxed);
        self.keep(read)
    }

    fn keep(&self, read: Result<Moment, PanicError>) -> Option<Moment> {
        read.map_err(|panic| self.panicked.set(Box::new(panic))).ok()
    }
}

impl Clock for CallClock<'_> {
    fn now(&self) -> Moment {
        self.try_read().unwrap_or_else(|| resume_unwind(Box::new(ClockPanicked)))
    }
}
