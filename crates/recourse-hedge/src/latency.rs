//! [`LatencyWindow`]: the recent latencies of one key.

use crate::buckets::{BUCKETS, GROUPS, PER_GROUP, index_of, longest_of};
use crate::turn::{Turn, bits_of, one_in, sum};
use recourse_core::{LatencySnapshot, Moment};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A window of the recent latencies of one key.
///
/// | | |
/// |---|---|
/// | what a quantile says | the longest latency of its bucket, or the longest in the window if that lies in the same bucket |
/// | error | never too small; too large by at most 1/16 (6.25 %), or by 16.4 microseconds where that is more |
/// | range | up to 66.6 seconds; of longer ones only the longest is known |
/// | memory | 2.6 KiB, fixed |
/// | age | a sample counts for at least 30 and at most 60 seconds |
/// | cost | two atomic additions to record, about a hundred loads to read; no lock, no allocation, no sorting |
///
/// The histogram is that of HdrHistogram (Gil Tene), in two generations that take turns. It overstates rather than
/// understates, because a quantile below the usual latency of a steady service would hedge every call.
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
    /// Samples per group of buckets, so that a reader skips the groups that it is not looking for.
    groups: [AtomicU64; GROUPS],
    /// Samples per bucket, either half in its half of the word.
    buckets: [AtomicU64; BUCKETS],
}

impl LatencyWindow {
    /// An empty window.
    #[must_use]
    pub const fn new() -> Self {
        LatencyWindow {
            turn: AtomicU64::new(Turn::UNUSED.0),
            longest: [const { AtomicU64::new(0) }; 2],
            groups: [const { AtomicU64::new(0) }; GROUPS],
            buckets: [const { AtomicU64::new(0) }; BUCKETS],
        }
    }

    /// Records one latency, as of `now`. Durations of any length are taken.
    pub fn record(&self, latency: Duration, now: Moment) {
        let nanos = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        let turn = Turn(self.turn.load(Ordering::Acquire));
        let half = if turn.takes(now) { turn.half() } else { self.turn_over(turn, now) };
        let bucket = index_of(nanos);
        if self.longest[half].load(Ordering::Relaxed) < nanos {
            self.longest[half].fetch_max(nanos, Ordering::Relaxed);
        }
        self.buckets[bucket].fetch_add(one_in(half), Ordering::Relaxed);
        // Last, and released: a reader who counts the sample here finds it above.
        self.groups[bucket / PER_GROUP].fetch_add(one_in(half), Ordering::Release);
    }

    /// The quantiles of the samples that are recent at `now`; `None` if there are none. Changes nothing.
    #[must_use]
    pub fn snapshot(&self, now: Moment) -> Option<LatencySnapshot> {
        let recent = Turn(self.turn.load(Ordering::Acquire)).recent(now);
        if recent == 0 {
            return None;
        }
        let groups: [u64; GROUPS] =
            std::array::from_fn(|group| sum(self.groups[group].load(Ordering::Acquire) & recent));
        let samples = groups.iter().sum::<u64>();
        if samples == 0 {
            return None;
        }
        let longest = self.longest_in(recent);
        let (mut group, mut before, mut floor) = (0, 0, 0);
        let [p50, p90, p95, p99] = [50, 90, 95, 99].map(|percent| {
            // The nearest rank: the first sample that has `percent` in 100 at or before it.
            let rank = (samples * percent).div_ceil(100);
            while before + groups[group] < rank {
                before += groups[group];
                group += 1;
            }
            let bucket = self.bucket_in(group, rank - before, recent);
            // A sample that comes in between two of these look-ups must not make a later quantile the smaller one.
            floor = floor.max(nanos_for(bucket, longest));
            Duration::from_nanos(floor)
        });
        Some(LatencySnapshot::new(p50, p90, p95, p99, samples))
    }

    /// The bucket of a group in which its sample number `rank` lies, counted from 1.
    fn bucket_in(&self, group: usize, rank: u64, recent: u64) -> usize {
        let first = group * PER_GROUP;
        let last = first + PER_GROUP - 1;
        let mut seen = 0;
        (first..last)
            .find(|&bucket| {
                seen += sum(self.buckets[bucket].load(Ordering::Relaxed) & recent);
                seen >= rank
            })
            .unwrap_or(last)
    }

    fn longest_in(&self, recent: u64) -> u64 {
        let longest = |half: usize| match recent & bits_of(half) {
            0 => 0,
            _ => self.longest[half].load(Ordering::Relaxed),
        };
        longest(0).max(longest(1))
    }

    /// Gives the other half its turn; answers the half to write to.
    #[cold]
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
        for counter in self.groups.iter().chain(&self.buckets) {
            if counter.load(Ordering::Relaxed) & bits != 0 {
                counter.fetch_and(!bits, Ordering::Relaxed);
            }
        }
        self.longest[half].store(0, Ordering::Relaxed);
    }
}

/// What to say of a bucket: the longest latency of the window where it lies in there, else the longest of the bucket.
fn nanos_for(bucket: usize, longest: u64) -> u64 {
    if index_of(longest) == bucket { longest } else { longest_of(bucket) }
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
    fn quantiles_are_never_too_small_and_within_the_error_bound() {
        let mut seed = 11u64;
        let mut random = move || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            seed >> 33
        };
        for most_bits in [16, 21, 26, 30, 33, 36] {
            for count in [1usize, 2, 10, 99, 100, 101, 5_000] {
                let window = LatencyWindow::new();
                let mut sorted: Vec<u64> = (0..count)
                    .map(|_| random() * random() % (1 << (1 + random() % most_bits)) % 66_000_000_000)
                    .collect();
                for nanos in &sorted {
                    window.record(Duration::from_nanos(*nanos), START);
                }
                sorted.sort_unstable();
                let latency = window.snapshot(START).unwrap();
                for (percent, told) in [50, 90, 95, 99].into_iter().zip(quantiles(latency)) {
                    let exact = sorted[(count * percent).div_ceil(100) - 1];
                    let told = u64::try_from(told.as_nanos()).unwrap();
                    assert!(
                        told >= exact && told - exact <= (exact / 16).max(16_384),
                        "p{percent} of {count}: {told} for {exact}"
                    );
                }
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
        for second in 0..30 {
            window.record(SECOND, START + SECOND * second);
        }
        for second in 30..60 {
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
