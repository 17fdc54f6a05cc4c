//! [`Elapsed`]: how long a call takes, as its error tells it.

use recourse::{Clock, Moment};
use std::time::Duration;

/// A moment that does not come.
pub(super) const NEVER: Moment = Moment::from_nanos(u64::MAX);

/// From the first wait on, and what was waited for before and was over at once.
pub(super) struct Elapsed {
    /// When the call first had to wait.
    started: Moment,
    /// Waits that were over before that, in nanoseconds.
    slept: u64,
    /// It is at least this late: within a call time never goes back.
    floor: Moment,
}

impl Elapsed {
    /// A call at its start.
    #[inline]
    pub(super) fn new() -> Self {
        Elapsed { started: NEVER, slept: 0, floor: Moment::ZERO }
    }

    /// The latest moment that is known to have come.
    #[inline]
    pub(super) fn floor(&self) -> Moment {
        self.floor
    }

    /// The present moment.
    #[inline]
    pub(super) fn now(&mut self, clock: &dyn Clock) -> Moment {
        self.floor = self.floor.max(clock.now());
        self.floor
    }

    /// The call has to wait. The present moment is read where it is wanted anyway, or this is the first time.
    #[inline]
    pub(super) fn waits(&mut self, clock: &dyn Clock, wanted: bool) -> Moment {
        let is_first = self.started == NEVER;
        if is_first || wanted {
            let now = self.now(clock);
            if is_first {
                self.started = now;
            }
        }
        self.floor
    }

    /// The call has to wait, and this is the present moment.
    #[inline]
    pub(super) fn waits_since(&mut self, now: Moment) {
        if self.started == NEVER {
            self.started = now;
        }
    }

    /// When the call first had to wait.
    #[inline]
    pub(super) fn started(&self) -> Moment {
        self.started
    }

    /// So many nanoseconds were waited for. The sleeper is believed, whatever the clock shows.
    #[inline]
    pub(super) fn waited(&mut self, wait: u64) {
        self.floor = self.floor + Duration::from_nanos(wait);
        if self.started == NEVER {
            self.slept = self.slept.saturating_add(wait);
        }
    }

    /// This moment has come.
    #[inline]
    pub(super) fn came(&mut self, moment: Moment) {
        self.floor = self.floor.max(moment);
    }

    /// Since the beginning.
    #[inline]
    pub(super) fn total(&mut self, clock: &dyn Clock) -> Duration {
        let since = if self.started == NEVER { Duration::ZERO } else { self.now(clock).since(self.started) };
        since.saturating_add(Duration::from_nanos(self.slept))
    }
}
