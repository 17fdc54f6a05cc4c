//! [`Attempts`]: a window over the last so many attempts.

use super::counting::{Answer, Count, Inbox, Sums, Vote};
use super::ratio::Ratios;
use super::stripes::Stripes;
use recourse_core::{Moment, Now};

/// The last `size` votes, as bits: one ring for each thing that a vote can be, beside good.
///
/// Good votes come in through the inbox, where only their number is kept, and are put before the next vote that isn't
/// good: in the window, one run of good votes is a stretch of cleared bits. So the order is kept, and a vote costs the
/// same however long the window is (a run clears 64 bits at a time, and no bit twice).
///
/// Such a ring of outcomes with running sums is the count-based sliding window of resilience4j; bits instead of objects,
/// and lazily kept good votes, are its form here.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Attempts {
    ratios: Ratios,
    size: usize,
    /// Where the next vote goes: the oldest one, once the ring is full.
    next: usize,
    sums: Sums,
    failed: Bits,
    throttled: Bits,
    slow: Bits,
    /// The mark of the inbox.
    mark: u32,
}

impl Attempts {
    pub(crate) fn new(size: u32, ratios: Ratios) -> Self {
        let size = size as usize;
        let [failed, throttled, slow] = [(); 3].map(|()| Bits::new(size));
        Attempts { ratios, size, next: 0, sums: Sums::default(), failed, throttled, slow, mark: 0 }
    }

    pub(crate) fn inbox(&self) -> GoodVotes {
        GoodVotes { cells: Stripes::new(self.mark), enough: u32::try_from(self.size).unwrap_or(u32::MAX) }
    }

    /// So many good votes, all at once.
    fn pass(&mut self, good: usize) {
        let good = good.min(self.size);
        let until_the_end = good.min(self.size - self.next);
        self.forget(self.next, until_the_end);
        self.forget(0, good - until_the_end);
        self.next = (self.next + good) % self.size;
        self.sums.total = (self.sums.total + good as u64).min(self.size as u64);
    }

    /// The good votes that wait.
    fn take_in(&mut self, inbox: &GoodVotes) {
        self.pass(inbox.cells.rows().map(|[cell]| cell.take(self.mark) as usize).sum());
    }

    fn push(&mut self, vote: Vote) {
        self.forget(self.next, 1);
        self.sums.total = self.sums.total.min(self.size as u64 - 1);
        self.sums.count(vote);
        self.failed.set(self.next, vote.answer == Answer::Failed);
        self.throttled.set(self.next, vote.answer == Answer::Throttled);
        self.slow.set(self.next, vote.slow);
        self.next = (self.next + 1) % self.size;
    }

    fn forget(&mut self, from: usize, count: usize) {
        self.sums.failed -= self.failed.clear(from, count);
        self.sums.throttled -= self.throttled.clear(from, count);
        self.sums.slow -= self.slow.clear(from, count);
    }
}

impl Count for Attempts {
    type Inbox = GoodVotes;

    fn vote(&mut self, vote: Vote, threshold: u32, now: &Now<'_>, inbox: &GoodVotes) -> Option<&'static str> {
        if !vote.is_good() {
            let _ = now.get();
        }
        self.take_in(inbox);
        self.push(vote);
        if vote.is_good() { None } else { self.ratios.verdict(&self.sums, threshold) }
    }

    fn restart(&mut self, generation: u64, inbox: &GoodVotes) {
        self.forget(0, self.size);
        (self.next, self.sums) = (0, Sums::default());
        self.mark = mark(generation);
        inbox.cells.restart(self.mark);
    }

    fn minds_good_votes(&self) -> bool {
        false
    }

    fn max_threshold(&self) -> u32 {
        u32::try_from(self.size).unwrap_or(u32::MAX)
    }

    fn sums(&self, inbox: &GoodVotes, _: &Now<'_>) -> Sums {
        let waiting = inbox.cells.rows().map(|[cell]| cell.read()).filter(|(mark, _)| *mark == self.mark);
        let mut now = self.clone();
        now.pass(waiting.map(|(_, good)| good as usize).sum());
        now.sums
    }

    fn last_sums(&mut self, inbox: &GoodVotes, _: Moment) -> Sums {
        self.take_in(inbox);
        self.sums
    }
}

/// Good votes since the last one that wasn't, by the thread's stripe. More than the window holds are not counted: so
/// while all is well, nothing is written.
#[derive(Debug)]
pub(crate) struct GoodVotes {
    cells: Stripes<1>,
    enough: u32,
}

impl Inbox for GoodVotes {
    fn good(&self, generation: u64, _: &Now<'_>) {
        let mine = mark(generation);
        let [cell] = self.cells.mine();
        cell.step(|mark, count| (mark == mine && count < self.enough).then_some((mark, count + 1)));
    }
}

/// Two generations share a mark when 2^32 changes of state lie between them.
#[allow(clippy::cast_possible_truncation, reason = "the low half")]
fn mark(generation: u64) -> u32 {
    generation as u32
}

/// A row of bits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Bits(Box<[u64]>);

impl Bits {
    fn new(size: usize) -> Self {
        Bits(vec![0; size.div_ceil(64)].into_boxed_slice())
    }

    fn set(&mut self, at: usize, value: bool) {
        self.0[at / 64] |= u64::from(value) << (at % 64);
    }

    /// Clears `count` bits; how many of them were set.
    fn clear(&mut self, from: usize, count: usize) -> u64 {
        let (mut at, end, mut cleared) = (from, from + count, 0);
        while at < end {
            let bits = (64 - at % 64).min(end - at);
            let mask = (u64::MAX >> (64 - bits)) << (at % 64);
            let word = &mut self.0[at / 64];
            cleared += u64::from((*word & mask).count_ones());
            *word &= !mask;
            at += bits;
        }
        cleared
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_cleared_across_words_and_counted() {
        let mut bits = Bits::new(200);
        for at in 0..200 {
            bits.set(at, true);
        }
        assert_eq!(bits.clear(0, 0), 0);
        assert_eq!(bits.clear(60, 10), 10);
        assert_eq!(bits.clear(0, 200), 190);
        assert_eq!(bits, Bits::new(200));
    }

    #[test]
    fn the_memory_of_a_window_is_known() {
        assert_eq!(Bits::new(100).0.len() * 8, 16);
        assert_eq!(Bits::new(10_000).0.len() * 8, 1_256);
    }
}
