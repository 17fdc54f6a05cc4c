//! [`LatencyWindow`]: the recent latencies of one key.

use crate::atomics::{AtomicU64, Ordering, fence};
use crate::buckets::{GROUPS, PER_GROUP, index_of};
use crate::counters::{Counters, count_in};
use crate::kept::{FEWEST, Kept, Look};
use crate::marks::{Marks, Seen};
use crate::place::quantiles;
use crate::stripes::Stripes;
use crate::turn::{Turn, bits_of};
use recourse_core::{LatencySnapshot, Moment};
use std::time::Duration;
use std::{fmt, iter};

/// One sample in so many of a bucket is looked after: whether another thread adds to the same word of two counters. Never in a model
/// check, which says itself when threads meet.
const PROBE_EVERY: u64 = if cfg!(recourse_loom) { 1 << 31 } else { 64 };
/// So many meetings in an epoch, of those that were looked for, make stripes. Each stands for 64 or more.
const MEETINGS: u64 = 16;

/// A window of the recent latencies of one key.
///
/// | | |
/// |---|---|
/// | error of a quantile | at most 1/16 (6.25 %), or 16.4 microseconds where that is more; some tenths of a percent where latencies are spread out |
/// | samples above a quantile | at most half as many again as it asks for: of 100,000 samples, 1,500 above the p99 |
/// | range | up to 66.6 seconds; of longer ones only the longest is known |
/// | memory | 2.5 KiB; where threads fight over it, 2.4 KiB more for each processor, their number rounded up to a power of two from 2 to 16 |
/// | age | a sample counts for at least 30 and at most 60 seconds |
/// | to record | one atomic addition; one more for a sample that is the longest yet, and for the first within its doubling |
/// | to read | 8 loads for each doubling that holds samples and each of the two epochs, in each stripe if there are any, and a few more for each quantile; 10 loads in all where many samples were read within 10 ms |
///
/// Nothing here locks or sorts, and nothing allocates but what follows.
///
/// The histogram is that of HdrHistogram (Gil Tene), in two generations that take turns. The samples of a bucket are
/// taken to lie evenly in it, so that a smooth distribution is told without bias. Where a bucket holds more than half as
/// many as are asked to lie above the quantile, it may hold a lump instead: a service that is as quick every time. Then
/// the longest latency of the bucket is told, or the longest in the window if that lies in there: a quantile below the
/// usual latency of a steady service would hedge every call.
///
/// Threads share the counters until they are seen to fight over them: one sample in 64 of a bucket looks whether another
/// has come to the same counter within the nanoseconds since, and finds that 16 times in an epoch. From then on, and for
/// good, threads take turns at stripes of counters, as many as there are processors up to the next power of two. They are
/// allocated by the thread that noticed, once in a window's life. Cells for threads that meet are the idea of `Striped64`,
/// which is behind `LongAdder` (Doug Lea, JSR 166).
///
/// Where a window holds [many samples](LatencyWindow::snapshot) quantiles are kept for 10 ms: every waiting call of a key
/// that is hedged by quantile asks for them.
///
/// Samples that are recorded in the very moment in which the window turns may be counted with the epoch before, or, at
/// the end of an idle minute or by a thread that stood still for an epoch, be lost. A clock that jumps, either way, costs
/// at most the samples that there are.
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
    marks: Marks,
    /// How often threads were seen to meet in this epoch.
    met: AtomicU64,
    stripes: Stripes,
    kept: Kept,
    counters: Counters,
}

impl LatencyWindow {
    /// An empty window.
    #[cfg(not(recourse_loom))]
    #[must_use]
    pub const fn new() -> Self {
        LatencyWindow {
            turn: AtomicU64::new(Turn::UNUSED.0),
            longest: [const { AtomicU64::new(0) }; 2],
            marks: Marks::new(),
            met: AtomicU64::new(0),
            stripes: Stripes::new(),
            kept: Kept::new(),
            counters: Counters::new(),
        }
    }

    /// An empty window.
    #[cfg(recourse_loom)]
    #[must_use]
    pub fn new() -> Self {
        LatencyWindow {
            turn: AtomicU64::new(Turn::UNUSED.0),
            longest: std::array::from_fn(|_| AtomicU64::new(0)),
            marks: Marks::new(),
            met: AtomicU64::new(0),
            stripes: Stripes::new(),
            kept: Kept::new(),
            counters: Counters::new(),
        }
    }

    /// Records one latency, as of `now`. Durations of any length are taken.
    #[inline]
    pub fn record(&self, latency: Duration, now: Moment) {
        let seconds = latency.as_secs().saturating_mul(1_000_000_000);
        self.record_nanos(seconds.saturating_add(latency.subsec_nanos().into()), now);
    }

    /// Records the latency of what started then and ends now; 0 where that is not later. Cheaper than to make a duration of
    /// it first.
    ///
    /// ```
    /// use recourse_core::Moment;
    /// use recourse_hedge::LatencyWindow;
    /// use std::time::Duration;
    ///
    /// let window = LatencyWindow::new();
    /// let now = Moment::ZERO + Duration::from_millis(5);
    /// window.record_since(Moment::ZERO, now);
    /// assert_eq!(window.snapshot(now).map(|latency| latency.samples), Some(1));
    /// ```
    #[inline]
    pub fn record_since(&self, started: Moment, now: Moment) {
        self.record_nanos(now.as_nanos().saturating_sub(started.as_nanos()), now);
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
        // Who counts the sample sees a longest latency that is no shorter. It is found here by whoever raised it, and by
        // whoever only saw it.
        let bucket = index_of(nanos);
        if !self.marks.see().is_usual(bucket / PER_GROUP, half) {
            return self.count_unusual(bucket, half);
        }
        let before = self.counters.add(bucket, half);
        if count_in(before, bucket) % PROBE_EVERY == PROBE_EVERY - 1 {
            self.probe(bucket, half, before);
        }
    }

    /// The first sample of its group, or one of a thread that has a stripe.
    #[cold]
    #[inline(never)]
    fn count_unusual(&self, bucket: usize, half: usize) {
        let (seen, group) = (self.marks.see(), bucket / PER_GROUP);
        if !seen.has(group, half) {
            self.marks.mark(group, half);
        }
        let mine = if seen.is_striped() { self.stripes.mine() } else { None };
        mine.unwrap_or(&self.counters).add(bucket, half);
    }

    /// Looks whether another thread has added to a counter within the nanoseconds since this one has.
    ///
    /// `Striped64` notices by a compare-exchange that fails. That takes a load before each addition, and so the counter's
    /// cache line twice where threads do meet.
    #[cold]
    #[inline(never)]
    fn probe(&self, bucket: usize, half: usize, before: u64) {
        if self.counters.moved_on(bucket, half, before)
            && self.met.fetch_add(1, Ordering::Relaxed) + 1 == MEETINGS
        {
            self.stripe();
        }
    }

    /// From now on threads count in stripes.
    fn stripe(&self) {
        self.stripes.make();
        self.marks.set_striped();
    }

    /// The quantiles of the samples that are recent at `now`; `None` if there are none.
    ///
    /// Where there were 1,000 or more, they may be what a snapshot less than 10 ms before `now` has told: samples recorded
    /// since are not in it, not even those of the same thread. It never reaches across the end of an epoch or a turn of
    /// the window, and is never one of after `now`. Of fewer samples each snapshot is worked out anew.
    ///
    /// Reading ages nothing: it changes what is kept for the next reader, and no sample.
    #[must_use]
    pub fn snapshot(&self, now: Moment) -> Option<LatencySnapshot> {
        let turn = Turn(self.turn.load(Ordering::Acquire));
        if !turn.lasts(now) {
            return self.work_out(turn, now, None);
        }
        match self.kept.look(turn, now) {
            Look::Good(latency) => Some(latency),
            Look::Old(version) => self.work_out(turn, now, Some(version)),
            Look::Ahead => self.work_out(turn, now, None),
        }
    }

    /// Counts all that is recent, and keeps what comes of it in place of a version that is too old.
    #[inline(never)]
    fn work_out(&self, turn: Turn, now: Moment, version: Option<u64>) -> Option<LatencySnapshot> {
        let recent = turn.recent(now);
        if recent == 0 {
            return None;
        }
        let seen = self.marks.see();
        let summed;
        let mut counters = &self.counters;
        if seen.is_striped() {
            summed = self.sum(seen, recent);
            counters = &summed;
        }
        let counters = counters.recent([0, 1].map(|half| recent & bits_of(half) != 0));
        let (mut groups, mut samples) = ([0; GROUPS], 0);
        for group in seen.groups(recent) {
            groups[group] = counters.in_group(group);
            samples += groups[group];
        }
        if samples == 0 {
            return None;
        }
        let places = quantiles(&groups, samples, |group, pair| counters.in_pair(group, pair));
        // After all counters: the longest latency must be that of a sample which was counted, or a longer one.
        fence(Ordering::Acquire);
        let longest = self.longest_in(recent);
        let nanos = places.map(|place| place.nanos(longest));
        if let Some(version) = version.filter(|_| samples >= FEWEST) {
            self.kept.replace(version, turn, now, nanos, samples);
        }
        let [p50, p90, p95, p99] = nanos.map(Duration::from_nanos);
        Some(LatencySnapshot::new(p50, p90, p95, p99, samples))
    }

    /// What the stripes hold, and what came before they were made.
    #[cold]
    #[inline(never)]
    fn sum(&self, seen: Seen, recent: u64) -> Counters {
        Counters::sum_of(iter::once(&self.counters).chain(self.stripes.all()), seen.groups(recent))
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
        self.counters.empty(half);
        self.stripes.all().iter().for_each(|stripe| stripe.empty(half));
        self.longest[half].store(0, Ordering::Relaxed);
        self.marks.clear(half);
        self.met.store(0, Ordering::Relaxed);
    }
}

/// What a model check does in place of threads that meet.
#[cfg(recourse_loom)]
impl LatencyWindow {
    /// As if this thread had noticed the last of the meetings that it takes.
    pub fn threads_meet(&self) {
        self.stripe();
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
    const END_OF_ALL: Moment = Moment::from_nanos(u64::MAX);

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
        assert_eq!(samples(&window, START + SECOND * 31), THREADS * EACH);
        assert_eq!(samples(&window, START + SECOND * 90), 0);
    }

    /// The same samples in a window whose threads have met on the way.
    #[test]
    fn stripes_change_nothing_that_is_told() {
        let (window, plain) = (LatencyWindow::new(), LatencyWindow::new());
        let mut latencies = (0..).map(|call| MS * (call * 37 % 401));
        for (second, striped) in [(0, false), (10, true), (30, true), (59, true), (60, true), (89, true)] {
            if striped {
                window.stripe();
            }
            let now = START + SECOND * second;
            // Turns the window where it is time: what is recorded meanwhile may be counted with the epoch before.
            for each in [&window, &plain] {
                each.record(MS, now);
            }
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    let some: Vec<_> = latencies.by_ref().take(100).collect();
                    some.iter().for_each(|latency| plain.record(*latency, now));
                    let window = &window;
                    scope.spawn(move || some.iter().for_each(|latency| window.record(*latency, now)));
                }
            });
            assert_eq!(window.snapshot(now), plain.snapshot(now), "{second} s");
        }
        assert_eq!(window.marks.see().is_striped(), !plain.marks.see().is_striped());
        assert!(window.stripes.all().len() > 1);
        let end = START + SECOND * 119;
        assert_eq!(window.snapshot(end), plain.snapshot(end));
        assert_eq!(samples(&window, END_OF_ALL), 0);
    }

    #[test]
    fn threads_get_stripes_when_they_have_met_often_in_one_epoch() {
        let window = LatencyWindow::new();
        // The counter isn't as this thread would have left it.
        let meet = |times| (0..times).for_each(|_| window.probe(0, 0, 7));
        window.record(MS, START);
        meet(MEETINGS - 1);
        window.record(MS, START + SECOND * 30);
        meet(MEETINGS - 1);
        assert!(window.stripes.all().is_empty());
        meet(1);
        assert!(!window.stripes.all().is_empty() && window.marks.see().is_striped());
    }

    #[test]
    fn a_thread_alone_meets_nobody() {
        let window = LatencyWindow::new();
        for call in 0..100_000 {
            window.record(MS * (call % 3), START + SECOND * 30 * (call / 50_000));
        }
        assert_eq!(window.met.load(Ordering::Relaxed), 0);
    }

    /// A window with so many samples of a millisecond.
    fn window_of(samples: u32, now: Moment) -> LatencyWindow {
        let window = LatencyWindow::new();
        (0..samples).for_each(|_| window.record(MS, now));
        window
    }

    #[test]
    fn of_a_thousand_samples_a_snapshot_is_good_for_ten_milliseconds() {
        let window = window_of(1_000, START);
        let first = window.snapshot(START);
        assert_eq!(samples(&window, START), 1_000);
        (0..1_000).for_each(|_| window.record(SECOND, START));
        for later in [Duration::ZERO, MS, MS * 10 - Duration::from_nanos(1)] {
            assert_eq!(window.snapshot(START + later), first, "{later:?}");
        }
        let next = window.snapshot(START + MS * 10).unwrap();
        assert_eq!((next.samples, next.p90), (2_000, SECOND));
        window.record(MS, START + MS * 15);
        assert_eq!(samples(&window, START + MS * 19), 2_000);
        assert_eq!(samples(&window, START + MS * 20), 2_001);
    }

    #[test]
    fn of_fewer_samples_each_snapshot_is_worked_out() {
        let window = window_of(998, START);
        for more in 0..2 {
            assert_eq!(samples(&window, START), 998 + more);
            window.record(MS, START);
        }
        assert_eq!(samples(&window, START), 1_000);
    }

    #[test]
    fn a_snapshot_is_not_of_a_later_moment() {
        let window = window_of(1_000, START);
        assert_eq!(samples(&window, START + MS * 5), 1_000);
        window.record(MS, START);
        assert_eq!(samples(&window, START + MS * 4), 1_001);
        assert_eq!(samples(&window, START + MS * 5), 1_000);
    }

    #[test]
    fn a_snapshot_does_not_outlive_its_epoch() {
        let last = START + MS * 59_999;
        let window = window_of(1_000, START);
        (0..1_000).for_each(|_| window.record(MS, last));
        assert_eq!(samples(&window, last), 2_000);
        // Nobody has turned the window yet.
        assert_eq!(samples(&window, last + MS), 1_000);
        window.record(MS, last + MS);
        assert_eq!(samples(&window, last + MS), 1_001);
    }

    #[test]
    fn a_snapshot_does_not_come_back_with_a_clock_that_goes_to_and_fro() {
        let window = window_of(1_000, START);
        assert_eq!(samples(&window, START), 1_000);
        for now in [Moment::ZERO, START] {
            window.record(MS, now);
        }
        assert_eq!(samples(&window, START), 1);
    }

    #[test]
    fn ten_thousand_windows_are_a_few_megabytes() {
        assert!(size_of::<LatencyWindow>() <= 2_660);
    }
}
