//! [`LatencyWindow`]: the recent latencies of one key.

use crate::atomics::{AtomicU64, Ordering, fence};
use crate::buckets::{GROUPS, PER_GROUP, group_of, index_of};
use crate::place::{Place, quantiles};
use crate::turn::{Turn, bits_of, one_in, sum};
use recourse_core::{LatencySnapshot, Moment};
use std::fmt;
use std::time::Duration;

/// A window of the recent latencies of one key.
///
/// | | |
/// |---|---|
/// | error of a quantile | at most 1/16 (6.25 %), or 16.4 microseconds where that is more; some tenths of a percent where latencies are spread out |
/// | samples above a quantile | at most half as many again as it asks for: of 100,000 samples, 1,500 above the p99 |
/// | range | up to 66.6 seconds; of longer ones only the longest is known |
/// | memory | 2.5 KiB, fixed |
/// | age | a sample counts for at least 30 and at most 60 seconds |
/// | to record | one atomic addition, and one more for a sample that is the longest yet |
/// | to read | 16 loads for each doubling up to the longest latency, 304 at most, and a few more for each quantile |
///
/// Nothing here locks, allocates or sorts.
///
/// The histogram is that of HdrHistogram (Gil Tene), in two generations that take turns. The samples of a bucket are
/// taken to lie evenly in it, so that a smooth distribution is told without bias. Where a bucket holds more than half as
/// many as are asked to lie above the quantile, it may hold a lump instead: a service that is as quick every time. Then
/// the longest latency of the bucket is told, or the longest in the window if that lies in there: a quantile below the
/// usual latency of a steady service would hedge every call.
///
/// Threads share the counters. A stripe for each of them would double the memory per key for a few nanoseconds, and only
/// where calls end in the same bucket within nanoseconds of each other.
///
/// Samples that are recorded in the very moment in which the window turns may be counted with the epoch before, or, at
/// the end of an idle minute, be lost. A clock that jumps, either way, costs at most the samples that there are.
///
/// ```
/// use recourse_core::Moment;
/// use recourse_hedge::LatencyWindow;
/// use std::time::Duration;
///
/// let window = LatencyWindow::new();
/// let now = Moment::ZERO;
/// assert!(window.snapshot(now).is_none());
/// for millis in 1..=100 {
///     window.record(Duration::from_millis(millis), now);
/// }
/// let latency = window.snapshot(now).expect("there are samples");
/// assert_eq!(latency.samples, 100);
/// assert!(latency.p90 >= Duration::from_millis(90) && latency.p90 < Duration::from_millis(96));
/// assert!(window.snapshot(now + Duration::from_secs(60)).is_none());
/// ```
pub struct LatencyWindow {
    /// A [`Turn`].
    turn: AtomicU64,
    /// The longest latency of either half, in nanoseconds.
    longest: [AtomicU64; 2],
    counters: Counters,
}

/// Samples per bucket, either half in its half of the word.
///
/// On cache lines of their own: recording a sample must not take the line from those who only look whose turn it is.
#[repr(align(64))]
struct Counters([[AtomicU64; PER_GROUP]; GROUPS]);

impl LatencyWindow {
    /// An empty window.
    #[cfg(not(recourse_loom))]
    #[must_use]
    pub const fn new() -> Self {
        LatencyWindow {
            turn: AtomicU64::new(Turn::UNUSED.0),
            longest: [const { AtomicU64::new(0) }; 2],
            counters: Counters([const { [const { AtomicU64::new(0) }; PER_GROUP] }; GROUPS]),
        }
    }

    /// An empty window.
    #[cfg(recourse_loom)]
    #[must_use]
    pub fn new() -> Self {
        LatencyWindow {
            turn: AtomicU64::new(Turn::UNUSED.0),
            longest: std::array::from_fn(|_| AtomicU64::new(0)),
            counters: Counters(std::array::from_fn(|_| std::array::from_fn(|_| AtomicU64::new(0)))),
        }
    }

    /// Records one latency, as of `now`. Durations of any length are taken.
    #[inline]
    pub fn record(&self, latency: Duration, now: Moment) {
        // Apart, so that a latency that is the difference of two moments is not divided into seconds and put together.
        let seconds = latency.as_secs().saturating_mul(1_000_000_000);
        self.record_nanos(seconds.saturating_add(latency.subsec_nanos().into()), now);
    }

    fn record_nanos(&self, nanos: u64, now: Moment) {
        let turn = Turn(self.turn.load(Ordering::Acquire));
        if turn.takes(now) {
            self.count(nanos, turn.half());
        } else {
            self.record_at_turn(nanos, turn, now);
        }
    }

    /// Kept out of line, so that the usual way needs no room for it.
    #[cold]
    #[inline(never)]
    fn record_at_turn(&self, nanos: u64, turn: Turn, now: Moment) {
        self.count(nanos, self.turn_over(turn, now));
    }

    #[inline]
    fn count(&self, nanos: u64, half: usize) {
        if self.longest[half].load(Ordering::Relaxed) < nanos {
            self.longest[half].fetch_max(nanos, Ordering::Relaxed);
        }
        // Released: a reader who counts the sample sees a longest latency that is no shorter. It is found here by
        // whoever raised it, and by whoever only saw it.
        let bucket = index_of(nanos);
        self.counters.0[bucket / PER_GROUP][bucket % PER_GROUP].fetch_add(one_in(half), Ordering::Release);
    }

    /// The quantiles of the samples that are recent at `now`; `None` if there are none. Changes nothing.
    #[must_use]
    pub fn snapshot(&self, now: Moment) -> Option<LatencySnapshot> {
        let recent = Turn(self.turn.load(Ordering::Acquire)).recent(now);
        if recent == 0 {
            return None;
        }
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let top = group_of(self.longest_in(recent));
        let mut groups = [0; GROUPS];
        for (group, counters) in groups.iter_mut().zip(&self.counters.0[..=top]) {
            // Whole words are added: neither half of a sum reaches beyond its 32 bits.
            *group = sum(counters.iter().map(count).sum::<u64>() & recent);
        }
        let samples = groups.iter().sum::<u64>();
        if samples == 0 {
            return None;
        }
        let [p50, p90, p95, p99] =
            quantiles(&groups, samples, |group, within| sum(count(&self.counters.0[group][within]) & recent));
        // After all counters: the longest latency must be that of a sample which was counted, or a longer one.
        fence(Ordering::Acquire);
        let longest = self.longest_in(recent);
        let told = |place: Place| Duration::from_nanos(place.nanos(longest));
        Some(LatencySnapshot::new(told(p50), told(p90), told(p95), told(p99), samples))
    }

    fn longest_in(&self, recent: u64) -> u64 {
        let longest = |half: usize| match recent & bits_of(half) {
            0 => 0,
            _ => self.longest[half].load(Ordering::Relaxed),
        };
        longest(0).max(longest(1))
    }

    /// Gives the other half its turn; answers the half to write to.
    fn turn_over(&self, turn: Turn, now: Moment) -> usize {
        if turn.is_changing() {
            return turn.half();
        }
        let (claim, next) = if turn == Turn::UNUSED {
            (Turn::first(now), Turn::first(now))
        } else {
            (turn.changing(), turn.next(now))
        };
        match self.turn.compare_exchange(turn.0, claim.0, Ordering::AcqRel, Ordering::Acquire) {
            Err(of_another_thread) => Turn(of_another_thread).half(),
            Ok(_) => {
                if claim != next {
                    // Meanwhile the others go on writing to the half that had its turn.
                    self.empty(next.half());
                    self.turn.store(next.0, Ordering::Release);
                }
                next.half()
            }
        }
    }

    fn empty(&self, half: usize) {
        let bits = bits_of(half);
        for counter in self.counters.0.iter().flatten() {
            if counter.load(Ordering::Relaxed) & bits != 0 {
                counter.fetch_and(!bits, Ordering::Relaxed);
            }
        }
        self.longest[half].store(0, Ordering::Relaxed);
    }
}

impl Default for LatencyWindow {
    fn default() -> Self {
        LatencyWindow::new()
    }
}

impl fmt::Debug for LatencyWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LatencyWindow").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    const MS: Duration = Duration::from_millis(1);
    const SECOND: Duration = Duration::from_secs(1);
    const START: Moment = Moment::from_nanos(3_600_000_000_000);

    fn quantiles(latency: LatencySnapshot) -> [Duration; 4] {
        [latency.p50, latency.p90, latency.p95, latency.p99]
    }

    fn samples(window: &LatencyWindow, now: Moment) -> u64 {
        window.snapshot(now).map_or(0, |latency| latency.samples)
    }

    #[test]
    fn without_samples_there_is_no_snapshot() {
        let window = LatencyWindow::new();
        for nanos in [0, 1, u64::MAX] {
            assert_eq!(window.snapshot(Moment::from_nanos(nanos)), None);
        }
    }

    #[test]
    fn a_steady_latency_is_told_exactly() {
        for latency in
            [Duration::ZERO, Duration::from_nanos(1), MS * 100, SECOND * 300, Duration::from_nanos(u64::MAX)]
        {
            let window = LatencyWindow::new();
            for _ in 0..10 {
                window.record(latency, START);
            }
            assert_eq!(window.snapshot(START).map(quantiles), Some([latency; 4]), "{latency:?}");
        }
    }

    #[test]
    fn no_duration_overflows() {
        let window = LatencyWindow::new();
        window.record(Duration::MAX, START);
        assert_eq!(window.snapshot(START).map(quantiles), Some([Duration::from_nanos(u64::MAX); 4]));
    }

    #[test]
    fn spread_out_samples_are_told_within_their_bucket() {
        let window = LatencyWindow::new();
        let exponential = |share: f64| (MS * 20).mul_f64(-(1.0 - share).ln());
        for number in 0..100_000 {
            window.record(exponential(f64::from(number) / 1e5), START);
        }
        let told = window.snapshot(START).map(quantiles).unwrap();
        for (share, told) in [0.5, 0.9, 0.95, 0.99].into_iter().zip(told) {
            let exact = exponential(share);
            assert!(told.abs_diff(exact) <= exact / 500, "{share}: {told:?} for {exact:?}");
        }
    }

    #[test]
    fn a_lump_is_never_told_too_short() {
        // Nine in ten calls take 30 ms, some more, a few much more: the quantiles lie in the lump.
        for lump in [MS * 30, MS * 31, Duration::from_micros(31_457)] {
            let window = LatencyWindow::new();
            for call in 0..1_000 {
                window.record(if call % 10 > 0 { lump } else { MS * 2 }, START);
            }
            window.record(SECOND, START);
            for told in window.snapshot(START).map(quantiles).unwrap() {
                assert!(told >= lump && told <= lump + lump / 16, "{lump:?}: {told:?}");
            }
        }
    }

    #[test]
    fn a_sample_counts_for_thirty_to_sixty_seconds() {
        for offset in [0, 1, 15, 29] {
            let window = LatencyWindow::new();
            let recorded = START + SECOND * offset;
            window.record(MS, recorded);
            assert_eq!(samples(&window, recorded + SECOND * 30), 1);
            assert_eq!(samples(&window, recorded + SECOND * 60), 0);
        }
    }

    #[test]
    fn reading_does_not_age_the_window() {
        let window = LatencyWindow::new();
        window.record(MS, START);
        assert_eq!(samples(&window, START + SECOND * 3_600), 0);
        assert_eq!(samples(&window, START), 1);
    }

    #[test]
    fn old_samples_give_way_to_new_ones() {
        let window = LatencyWindow::new();
        for second in 0..29 {
            window.record(SECOND, START + SECOND * second);
        }
        for second in 29..60 {
            window.record(MS, START + SECOND * second);
        }
        let both = window.snapshot(START + SECOND * 59).unwrap();
        assert!(both.samples == 60 && both.p50 < MS * 2 && both.p90 == SECOND);
        window.record(MS, START + SECOND * 60);
        let new = window.snapshot(START + SECOND * 60).unwrap();
        assert_eq!((new.samples, quantiles(new)), (31, [MS; 4]));
    }

    #[test]
    fn nothing_from_before_an_idle_minute_comes_back() {
        let window = LatencyWindow::new();
        for round in 0..10 {
            let now = START + SECOND * 95 * round;
            window.record(SECOND * round, now);
            assert_eq!(window.snapshot(now).map(quantiles), Some([SECOND * round; 4]));
        }
    }

    #[test]
    fn a_clock_that_jumps_leaves_a_window_that_works() {
        let window = LatencyWindow::new();
        let far = Moment::from_nanos(u64::MAX);
        for now in [START, far, START, Moment::ZERO, far, START] {
            window.record(MS, now);
            assert!(samples(&window, now) >= 1);
        }
        for step in 0..10 {
            window.record(MS, START + SECOND * 30 * step);
        }
        let end = START + SECOND * 30 * 9;
        assert_eq!(samples(&window, end), 2);
        assert_eq!(samples(&window, end + SECOND * 60), 0);
    }

    #[test]
    fn a_thread_that_was_overtaken_at_the_change_does_not_turn_the_window_back() {
        let window = LatencyWindow::new();
        window.record(MS, START);
        window.record(MS, START + SECOND * 30);
        window.record(MS, START + SECOND * 29);
        assert_eq!(samples(&window, START + SECOND * 30), 3);
    }

    #[test]
    fn no_sample_of_any_thread_is_lost_or_counted_twice() {
        const THREADS: u64 = 4;
        const EACH: u64 = 20_000;
        let window = LatencyWindow::new();
        let start = Barrier::new(THREADS as usize);
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let (window, start) = (&window, &start);
                scope.spawn(move || {
                    start.wait();
                    for turn in 0..EACH {
                        // Half of the samples to either side of a change of halves.
                        let now = START + SECOND * u32::from(turn >= EACH / 2) * 30;
                        window.record(Duration::from_micros(turn * 7 + thread), now);
                        let latency = window.snapshot(now).unwrap();
                        assert!(latency.p50 <= latency.p90 && latency.p90 <= latency.p99);
                    }
                });
            }
        });
        assert_eq!(samples(&window, START + SECOND * 30), THREADS * EACH);
        assert_eq!(samples(&window, START + SECOND * 90), 0);
    }

    #[test]
    fn ten_thousand_windows_are_a_few_megabytes() {
        assert!(size_of::<LatencyWindow>() <= 2_660);
    }
}
