//! Time as a plugin: [`Moment`], [`Clock`], [`Sleeper`] and the lazily read [`Now`].

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::ops::{Add, Sub};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// A point on a [`Clock`]: nanoseconds since that clock's own origin.
///
/// Moments of different clocks can't be compared. Arithmetic saturates: a moment neither overflows nor goes below zero.
///
/// ```
/// use recourse_core::Moment;
/// use std::time::Duration;
///
/// let start = Moment::ZERO + Duration::from_millis(5);
/// assert_eq!((start + Duration::MAX).since(start), Duration::from_nanos(u64::MAX - 5_000_000));
/// assert_eq!(Moment::ZERO.since(start), Duration::ZERO);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(u64);

impl Moment {
    /// The clock's origin.
    pub const ZERO: Moment = Moment(0);

    /// The moment `nanos` nanoseconds after the origin.
    #[must_use]
    #[inline]
    pub const fn from_nanos(nanos: u64) -> Self {
        Moment(nanos)
    }

    /// Nanoseconds since the origin.
    #[must_use]
    #[inline]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to this moment; zero if `earlier` is later.
    #[must_use]
    #[inline]
    pub const fn since(self, earlier: Moment) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Moment {
    type Output = Moment;
    #[inline]
    fn add(self, duration: Duration) -> Moment {
        // In 64 bits: clocks come by here whenever they are read.
        let seconds = duration.as_secs().saturating_mul(1_000_000_000);
        Moment(self.0.saturating_add(seconds.saturating_add(duration.subsec_nanos().into())))
    }
}

impl Sub<Moment> for Moment {
    type Output = Duration;
    #[inline]
    fn sub(self, earlier: Moment) -> Duration {
        self.since(earlier)
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Moment({:?})", Duration::from_nanos(self.0))
    }
}

/// A source of monotonic time.
///
/// An implementation should not go backwards; the built-in plugins tolerate it and add nothing for such a step. Budgets
/// stand still until it has caught up, or go on from there if it was set back by more than they remember.
/// `now` is called on the caller's task and must not block.
///
/// ```
/// use recourse_core::{Clock, Moment};
///
/// struct Stopped;
/// impl Clock for Stopped {
///     fn now(&self) -> Moment {
///         Moment::ZERO
///     }
/// }
/// assert_eq!(Stopped.now(), Moment::ZERO);
/// ```
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Moment;

    /// The calendar time of a moment of this clock, for people who read a timeline. `None` where the clock has none.
    fn calendar(&self, moment: Moment) -> Option<SystemTime> {
        let _ = moment;
        None
    }

    /// The same moment on the clock that the runtime's timers go by, so that a [`Sleeper`] needn't read it again.
    /// `None` where the two may differ.
    fn instant(&self, moment: Moment) -> Option<Instant> {
        let _ = moment;
        None
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Moment {
        (**self).now()
    }
    fn calendar(&self, moment: Moment) -> Option<SystemTime> {
        (**self).calendar(moment)
    }
    fn instant(&self, moment: Moment) -> Option<Instant> {
        (**self).instant(moment)
    }
}

/// Waiting, as a runtime does it.
///
/// The method is written in the form to which `#[async_trait]` expands, so both spellings of an implementation compile:
///
/// ```
/// use recourse_core::Sleeper;
/// use std::{future::Future, pin::Pin, time::Duration};
///
/// /// Never waits: for tests that only count attempts.
/// struct NoWait;
/// impl Sleeper for NoWait {
///     fn sleep<'s, 'f>(&'s self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'f>>
///     where
///         's: 'f,
///         Self: 'f,
///     {
///         Box::pin(std::future::ready(()))
///     }
/// }
/// ```
///
/// # Cancellation
///
/// Dropping the future must release the timer. The executor never asks for a sleep of zero.
pub trait Sleeper: Send + Sync {
    /// A future that is ready once `duration` has passed. The time counts from this call or from the first poll.
    fn sleep<'s, 'f>(&'s self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'f>>
    where
        's: 'f,
        Self: 'f;

    /// A timer that can be set again, set to `duration` from now; a call then makes one and sets it as often as it
    /// needs. `until` is the same moment on the runtime's clock, where the executor's clock knows it. `None` (the
    /// default) where the runtime has no such timer: then [`sleep`](Self::sleep) is called.
    fn timer<'s, 'f>(
        &'s self,
        duration: Duration,
        until: Option<Instant>,
    ) -> Option<Pin<Box<dyn Timer + Send + 'f>>>
    where
        's: 'f,
        Self: 'f,
    {
        let _ = (duration, until);
        None
    }
}

/// A timer that is set more than once: ready when the time of its last setting has come.
pub trait Timer: Future<Output = ()> {
    /// Sets it to `duration` from now, whether or not it has fired. `until` as in [`Sleeper::timer`].
    fn set(self: Pin<&mut Self>, duration: Duration, until: Option<Instant>);
}

impl<S: Sleeper + ?Sized> Sleeper for Arc<S> {
    fn sleep<'s, 'f>(&'s self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        (**self).sleep(duration)
    }
    fn timer<'s, 'f>(
        &'s self,
        duration: Duration,
        until: Option<Instant>,
    ) -> Option<Pin<Box<dyn Timer + Send + 'f>>>
    where
        's: 'f,
        Self: 'f,
    {
        (**self).timer(duration, until)
    }
}

/// The present moment, read from its clock when it is first asked for, and then kept.
///
/// Plugins that don't need the time don't pay for a clock read.
///
/// ```
/// use recourse_core::{Moment, Now};
///
/// let now = Now::at(Moment::from_nanos(7));
/// assert_eq!(now.get().as_nanos(), 7);
/// ```
pub struct Now<'a> {
    clock: Option<&'a dyn Clock>,
    read: Cell<Option<Moment>>,
}

impl<'a> Now<'a> {
    /// A moment that is already known.
    #[must_use]
    #[inline]
    pub const fn at(moment: Moment) -> Self {
        Now { clock: None, read: Cell::new(Some(moment)) }
    }

    /// The moment at which `clock` is first asked.
    #[must_use]
    #[inline]
    pub const fn of(clock: &'a dyn Clock) -> Self {
        Now { clock: Some(clock), read: Cell::new(None) }
    }

    /// The moment; the same at every call.
    #[must_use]
    #[inline]
    pub fn get(&self) -> Moment {
        if let Some(moment) = self.read.get() {
            return moment;
        }
        let moment = self.clock.map_or(Moment::ZERO, Clock::now);
        self.read.set(Some(moment));
        moment
    }
}

impl fmt::Debug for Now<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Now").field(&self.read.get()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[derive(Default)]
    struct Counting(AtomicU64);
    impl Clock for Counting {
        fn now(&self) -> Moment {
            Moment::from_nanos(self.0.fetch_add(1, Ordering::Relaxed) + 1)
        }
    }

    #[test]
    fn now_reads_its_clock_at_most_once_and_not_before_it_is_asked() {
        let clock = Counting::default();
        let now = Now::of(&clock);
        assert_eq!(clock.0.load(Ordering::Relaxed), 0);
        assert_eq!((now.get(), now.get()), (Moment::from_nanos(1), Moment::from_nanos(1)));
        assert_eq!(clock.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn moments_saturate() {
        assert_eq!(Moment::from_nanos(u64::MAX) + Duration::from_secs(1), Moment::from_nanos(u64::MAX));
        assert_eq!(Moment::ZERO - Moment::from_nanos(9), Duration::ZERO);
    }
}
