//! [`VirtualTime`]: a clock and a sleeper in the hands of a test.

use super::timer::{Shared, Timer};
use recourse_core::{Clock, Moment, Sleeper};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A virtual clock and sleeper. Clones share it; it is both the [`Clock`] and the [`Sleeper`] to give to an executor.
///
/// Nothing moves it but the test ([`advance`](Self::advance), [`set`](Self::set)) and [`run`](Self::run), which jumps
/// to the next timer whenever the future has nothing else to do. So a test with hours of backoff takes no time, and
/// goes the same way every time.
///
/// ```
/// use recourse_core::Sleeper;
/// use recourse_test::VirtualTime;
/// use std::time::Duration;
///
/// let time = VirtualTime::new();
/// let answer = time.run(async {
///     time.sleep(Duration::from_secs(3600)).await;
///     7
/// });
/// assert_eq!((answer, time.elapsed()), (7, Duration::from_secs(3600)));
/// assert_eq!(time.sleeps(), [Duration::from_secs(3600)]);
/// ```
#[derive(Clone, Default)]
pub struct VirtualTime {
    pub(super) timers: Shared,
}

impl VirtualTime {
    /// A clock that shows [`Moment::ZERO`].
    #[must_use]
    pub fn new() -> Self {
        VirtualTime::default()
    }

    /// A clock that shows `origin`.
    #[must_use]
    pub fn starting_at(origin: Moment) -> Self {
        let time = VirtualTime::default();
        time.set(origin);
        time
    }

    /// What the clock shows. Unlike a read through [`Clock`], it isn't counted by [`clock_reads`](Self::clock_reads).
    #[must_use]
    pub fn now(&self) -> Moment {
        self.timers.lock().now
    }

    /// How much time has passed since the clock was made. A jump by [`set`](Self::set) is no passing of time.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.timers.lock().passed.since(Moment::ZERO)
    }

    /// Lets time pass, and wakes who waits for a timer that became due.
    ///
    /// An operation that calls it keeps its thread busy for that long.
    pub fn advance(&self, step: Duration) {
        self.timers.advance(step);
    }

    /// Lets time pass up to the earliest live timer; `false` where there is none.
    pub fn advance_to_next(&self) -> bool {
        let next = self.timers.lock().next();
        if let Some(step) = next {
            self.timers.advance(step);
        }
        next.is_some()
    }

    /// Makes the clock show another moment, also an earlier one. Timers run on as if nothing had happened.
    ///
    /// ```
    /// use recourse_core::Moment;
    /// use recourse_test::VirtualTime;
    /// use std::time::Duration;
    ///
    /// let time = VirtualTime::starting_at(Moment::from_nanos(500));
    /// time.advance(Duration::from_nanos(10));
    /// time.set(Moment::from_nanos(100));
    /// assert_eq!((time.now(), time.elapsed()), (Moment::from_nanos(100), Duration::from_nanos(10)));
    /// ```
    pub fn set(&self, moment: Moment) {
        self.timers.lock().now = moment;
    }

    /// How many timers are live: neither due nor dropped. Counts [`wait`](Self::wait) and scripted operations too.
    #[must_use]
    pub fn pending_sleeps(&self) -> usize {
        self.timers.lock().live()
    }

    /// Every sleep that was asked for through [`Sleeper`], in order, whether or not it was waited for.
    #[must_use]
    pub fn sleeps(&self) -> Vec<Duration> {
        self.timers.lock().asked.clone()
    }

    /// How often the clock was read through [`Clock`].
    #[must_use]
    pub fn clock_reads(&self) -> u64 {
        self.timers.lock().reads
    }

    /// A timer for the test's own code, such as an operation that takes its time. It is a sleep in every way but that
    /// [`sleeps`](Self::sleeps), which speaks of the code under test, doesn't list it.
    ///
    /// ```
    /// use recourse_test::VirtualTime;
    /// use std::time::Duration;
    ///
    /// let time = VirtualTime::new();
    /// time.run(time.wait(Duration::from_millis(5)));
    /// assert_eq!(time.elapsed(), Duration::from_millis(5));
    /// assert!(time.sleeps().is_empty());
    /// ```
    pub fn wait(&self, duration: Duration) -> Timer {
        self.timers.arm(duration)
    }
}

impl Clock for VirtualTime {
    fn now(&self) -> Moment {
        let mut timers = self.timers.lock();
        timers.reads += 1;
        timers.now
    }

    /// The calendar begins at the Unix epoch when the clock shows [`Moment::ZERO`].
    fn calendar(&self, moment: Moment) -> Option<SystemTime> {
        UNIX_EPOCH.checked_add(moment.since(Moment::ZERO))
    }
}

impl Sleeper for VirtualTime {
    fn sleep<'s, 'f>(&'s self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        self.timers.lock().asked.push(duration);
        Box::pin(self.timers.arm(duration))
    }
}

impl fmt::Debug for VirtualTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtualTime")
            .field("now", &self.now())
            .field("pending_sleeps", &self.pending_sleeps())
            .finish_non_exhaustive()
    }
}
