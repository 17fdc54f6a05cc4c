//! [`Seconds`]: a window over the last so much time.

use super::counting::{Count, Inbox, Sums, Vote};
use super::ratio::Ratios;
use super::stripes::Stripes;
use crate::sync::{AtomicU64, Ordering};
use recourse_core::{Moment, Now};

/// Parts of a window: it slides by a tenth of its length.
pub(crate) const BUCKETS: usize = 10;

/// The votes of the last ten tenths, the present one included: between nine tenths of the window's length and all of it.
///
/// Time is cut into tenths, numbered from the clock's origin. Good votes are counted in the inbox, where each stripe has
/// a cell for each tenth; the others here. Both are rings of ten: a tenth that is written to takes the place of an older
/// one, and a place that holds another tenth than the one that is asked for counts as empty. So nothing is moved when time
/// passes, a vote costs the same however much time lies between, and a clock that jumps or goes backwards finds empty
/// tenths, at worst.
///
/// A window is judged by a vote that isn't good, and ends with the tenth of that vote. Partial aggregates over a ring of
/// time slices are those of Hystrix's rolling window and of resilience4j's time-based one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Seconds {
    ratios: Ratios,
    /// Nanoseconds in a tenth.
    tenth: u64,
    ring: [Bucket; BUCKETS],
    generation: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
struct Bucket {
    number: u64,
    /// All but the good votes of the inbox.
    sums: Sums,
}

impl Seconds {
    pub(crate) fn new(tenth: u64, ratios: Ratios) -> Self {
        Seconds { ratios, tenth, ring: [Bucket::default(); BUCKETS], generation: 0 }
    }

    pub(crate) fn inbox(&self) -> GoodVotes {
        GoodVotes {
            cells: Stripes::new(mark(self.generation, 0)),
            tenth: Tenth::new(self.tenth),
            latest: AtomicU64::new(0),
        }
    }

    /// What the window that ends with this tenth holds.
    fn until(&self, last: u64, inbox: &GoodVotes) -> Sums {
        let mut sums = Sums::default();
        for number in last.saturating_sub(BUCKETS as u64 - 1)..=last {
            let bucket = &self.ring[place(number)];
            if bucket.number == number {
                sums.total += bucket.sums.total;
                sums.failed += bucket.sums.failed;
                sums.throttled += bucket.sums.throttled;
                sums.slow += bucket.sums.slow;
            }
            let expected = mark(self.generation, number);
            for row in inbox.cells.rows() {
                let (mark, good) = row[place(number)].read();
                if mark == expected {
                    sums.total += u64::from(good);
                }
            }
        }
        sums
    }
}

impl Count for Seconds {
    type Inbox = GoodVotes;

    fn vote(&mut self, vote: Vote, threshold: u32, now: &Now<'_>, inbox: &GoodVotes) -> Option<&'static str> {
        let number = inbox.number(now.get());
        let bucket = &mut self.ring[place(number)];
        if bucket.number != number {
            *bucket = Bucket { number, sums: Sums::default() };
        }
        bucket.sums.count(vote);
        if vote.is_good() { None } else { self.ratios.verdict(&self.until(number, inbox), threshold) }
    }

    fn restart(&mut self, generation: u64, inbox: &GoodVotes) {
        self.ring = [Bucket::default(); BUCKETS];
        self.generation = generation;
        inbox.cells.restart(mark(generation, 0));
    }

    fn minds_good_votes(&self) -> bool {
        false
    }

    fn sums(&self, inbox: &GoodVotes, now: &Now<'_>) -> Sums {
        self.until(inbox.number(now.get()), inbox)
    }
}

/// Good votes, by the thread's stripe and by tenth.
#[derive(Debug)]
pub(crate) struct GoodVotes {
    cells: Stripes<BUCKETS>,
    tenth: Tenth,
    /// The tenth of the last vote that was of another one. Most votes are of the same: they compare, which takes less
    /// than to count tenths, and needn't wait for the clock to know their cell.
    latest: AtomicU64,
}

impl GoodVotes {
    #[inline]
    fn number(&self, now: Moment) -> u64 {
        let latest = self.latest.load(Ordering::Relaxed);
        if self.tenth.is_of(latest, now.as_nanos()) { latest } else { self.count(now.as_nanos()) }
    }

    #[cold]
    #[inline(never)]
    fn count(&self, nanos: u64) -> u64 {
        let number = self.tenth.number_of(nanos);
        if self.tenth.ends(number) {
            self.latest.store(number, Ordering::Relaxed);
        }
        number
    }
}

impl Inbox for GoodVotes {
    #[inline]
    fn good(&self, generation: u64, now: &Now<'_>) {
        let number = self.number(now.get());
        let mine = mark(generation, number);
        let cell = &self.cells.mine()[place(number)];
        cell.add_one(mine, |mark| same_generation(mark, mine));
    }
}

/// A divisor. Processors divide 64 bits some ten times slower than they multiply.
#[derive(Debug)]
struct Tenth {
    nanos: u64,
    /// The largest part of 2^64 that so many fit in.
    inverse: u64,
}

impl Tenth {
    fn new(nanos: u64) -> Self {
        Tenth { nanos, inverse: u64::MAX / nanos }
    }

    /// Whether so many nanoseconds are of this tenth, which [ends](Self::ends).
    #[inline]
    fn is_of(&self, number: u64, nanos: u64) -> bool {
        nanos.wrapping_sub(number.wrapping_mul(self.nanos)) < self.nanos
    }

    /// Whether all of this tenth can be said in nanoseconds. Of one that can't, the start seems to be before the origin.
    fn ends(&self, number: u64) -> bool {
        number.checked_add(1).is_some_and(|next| next.checked_mul(self.nanos).is_some())
    }

    /// How many whole tenths so many nanoseconds are.
    #[allow(clippy::cast_possible_truncation, reason = "the high half of the product")]
    fn number_of(&self, nanos: u64) -> u64 {
        // Too small by one at most, as the inverse is.
        let number = ((u128::from(nanos) * u128::from(self.inverse)) >> 64) as u64;
        number + u64::from(nanos - number * self.nanos >= self.nanos)
    }
}

#[allow(clippy::cast_possible_truncation, reason = "below ten")]
fn place(number: u64) -> usize {
    (number % BUCKETS as u64) as usize
}

const ROUND_BITS: u32 = 24;

/// What a cell is of: the low 8 bits of the generation, and below them the low 24 bits of the round of the stripe's
/// ring, which come again after as many windows, 194 days for the shortest.
#[allow(clippy::cast_possible_truncation, reason = "the low bits")]
fn mark(generation: u64, number: u64) -> u32 {
    let round = (number / BUCKETS as u64) as u32 & ((1 << ROUND_BITS) - 1);
    (generation as u32) << ROUND_BITS | round
}

fn same_generation(one: u32, other: u32) -> bool {
    one >> ROUND_BITS == other >> ROUND_BITS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::millionths::Millionths;

    #[test]
    fn tenths_are_counted_exactly_without_a_division() {
        for nanos in [1, 2, 3, 7, 100_000_000, 1_000_000_000, 6_000_000_000, u64::MAX / 10, u64::MAX] {
            let tenth = Tenth::new(nanos);
            for many in [0, 1, 2, 3, 10, 1 << 20, u64::MAX / nanos / 2, u64::MAX / nanos] {
                let start = many.saturating_mul(nanos);
                for at in [start.saturating_sub(1), start, start.saturating_add(1), u64::MAX - start] {
                    assert_eq!(tenth.number_of(at), at / nanos, "{at} in {nanos}");
                }
            }
        }
    }

    #[test]
    fn a_vote_is_of_its_tenth_whichever_tenth_the_last_one_was_of() {
        for nanos in [1, 7, 100_000_000, u64::MAX / 10, u64::MAX] {
            let inbox = Seconds::new(nanos, RATIOS).inbox();
            let edges = [0, 1, nanos - 1, nanos, nanos.saturating_add(1), u64::MAX - nanos, u64::MAX];
            for at in edges.into_iter().flat_map(|one| edges.map(|other| [one, other, one, one])).flatten() {
                assert_eq!(inbox.number(Moment::from_nanos(at)), at / nanos, "{at} in {nanos}");
            }
        }
    }

    #[test]
    fn a_clock_that_was_set_back_finds_whole_tenths_or_empty_ones() {
        let mut window = Seconds::new(100, RATIOS);
        let inbox = window.inbox();
        let at = |tenth: u64| Now::at(Moment::from_nanos(tenth * 100));
        for tenth in 20..40 {
            for _ in 0..10 {
                inbox.good(0, &at(tenth));
                window.vote(Vote::FAILED, 1, &at(tenth), &inbox);
            }
        }
        for tenth in 10..50 {
            let told = window.sums(&inbox, &at(tenth));
            assert_eq!(told.total, told.failed * 2, "{tenth}");
        }
        assert_eq!(window.sums(&inbox, &at(33)).failed, 40, "the last ten tenths are kept");
    }

    const RATIOS: Ratios =
        Ratios { failed: Millionths::ONE, slow: None, throttled: Millionths::ONE, minimum: 1 };
}
