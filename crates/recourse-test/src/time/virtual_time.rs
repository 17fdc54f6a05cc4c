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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll, Wake, Waker};

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn poll(timer: &mut Timer, wakes: &Arc<Wakes>) -> Poll<()> {
        let waker = Waker::from(Arc::clone(wakes));
        Pin::new(timer).poll(&mut Context::from_waker(&waker))
    }

    #[test]
    fn a_clone_shares_the_time() {
        let time = VirtualTime::starting_at(Moment::from_nanos(5));
        time.clone().advance(Duration::from_nanos(3));
        assert_eq!((time.now(), time.elapsed()), (Moment::from_nanos(8), Duration::from_nanos(3)));
    }

    #[test]
    fn a_timer_wakes_when_its_time_has_passed_and_not_before() {
        let (time, wakes) = (VirtualTime::new(), Arc::new(Wakes::default()));
        let mut timer = time.wait(ms(10));
        assert_eq!(poll(&mut timer, &wakes), Poll::Pending);
        time.advance(ms(9));
        assert_eq!((wakes.0.load(Ordering::SeqCst), time.pending_sleeps()), (0, 1));
        time.advance(ms(1));
        assert_eq!((wakes.0.load(Ordering::SeqCst), time.pending_sleeps()), (1, 0));
        assert_eq!(poll(&mut timer, &wakes), Poll::Ready(()));
    }

    #[test]
    fn a_timer_counts_from_its_making_and_not_from_its_first_poll() {
        let (time, wakes) = (VirtualTime::new(), Arc::new(Wakes::default()));
        let mut timer = time.wait(ms(10));
        time.advance(ms(10));
        assert_eq!(poll(&mut timer, &wakes), Poll::Ready(()));
    }

    #[test]
    fn a_dropped_sleep_leaves_no_timer_behind() {
        let time = VirtualTime::new();
        let (polled, unpolled) = (time.sleep(ms(1)), time.sleep(ms(2)));
        let mut call = time.step(polled);
        assert!(call.poll().is_pending());
        assert_eq!(time.pending_sleeps(), 2);
        drop((call, unpolled));
        assert_eq!(time.pending_sleeps(), 0);
        assert!(!time.advance_to_next());
        assert_eq!(time.sleeps(), [ms(1), ms(2)]);
    }

    #[test]
    fn a_sleep_of_zero_is_ready_at_once_and_is_no_timer() {
        let (time, wakes) = (VirtualTime::new(), Arc::new(Wakes::default()));
        let mut timer = time.wait(Duration::ZERO);
        assert_eq!(time.pending_sleeps(), 0);
        assert_eq!(poll(&mut timer, &wakes), Poll::Ready(()));
    }

    #[test]
    fn a_jump_of_the_clock_leaves_the_timers_alone() {
        let time = VirtualTime::starting_at(Moment::ZERO + ms(500));
        let timer = time.wait(ms(10));
        time.set(Moment::ZERO);
        time.run(timer);
        assert_eq!((time.now(), time.elapsed()), (Moment::ZERO + ms(10), ms(10)));
    }

    #[test]
    fn the_end_of_time_is_reached_without_an_overflow() {
        let time = VirtualTime::new();
        time.advance(Duration::MAX);
        time.run(time.wait(Duration::MAX));
        assert_eq!(time.now(), Moment::from_nanos(u64::MAX));
    }

    #[test]
    fn only_reads_through_the_clock_trait_are_counted() {
        let time = VirtualTime::new();
        let clock: &dyn Clock = &time;
        assert_eq!((clock.now(), time.now(), time.clock_reads()), (Moment::ZERO, Moment::ZERO, 1));
        assert_eq!(clock.calendar(Moment::ZERO + ms(1)), Some(UNIX_EPOCH + ms(1)));
    }
}
