//! [`Counters`]: samples per bucket, of either half of the window.

use crate::atomics::{AtomicU64, Ordering};
use crate::buckets::{GROUPS, PER_GROUP};

/// Words of a group: a word holds two neighbouring buckets, each in 32 bits.
pub(crate) const PAIRS: usize = PER_GROUP / 2;

/// The counters of both halves.
///
/// On cache lines of their own: recording a sample must not take the line from those who only look whose turn it is.
#[repr(align(64))]
pub(crate) struct Counters([Half; 2]);

/// Two counters a word. Where a sum of words is taken neither bucket's reaches beyond its 32 bits: a window would have to
/// take four billion samples in its minute.
type Half = [[AtomicU64; PAIRS]; GROUPS];

/// What is recent of some counters.
#[derive(Clone, Copy)]
pub(crate) struct Recent<'a> {
    first: &'a Half,
    second: Option<&'a Half>,
}

impl Counters {
    #[cfg(not(recourse_loom))]
    pub(crate) const fn new() -> Self {
        Counters([const { [const { [const { AtomicU64::new(0) }; PAIRS] }; GROUPS] }; 2])
    }

    #[cfg(recourse_loom)]
    pub(crate) fn new() -> Self {
        use std::array::from_fn;
        Counters(from_fn(|_| from_fn(|_| from_fn(|_| AtomicU64::new(0)))))
    }

    /// What all of these hold in some groups, as it was found; nothing in the others.
    pub(crate) fn sum_of<'a>(
        all: impl Iterator<Item = &'a Counters> + Clone,
        groups: impl Iterator<Item = usize>,
    ) -> Self {
        let mut sum = Counters::new();
        for group in groups {
            for (half, words) in sum.0.iter_mut().enumerate() {
                for (pair, word) in words[group].iter_mut().enumerate() {
                    let found = all.clone().map(|each| each.0[half][group][pair].load(Ordering::Relaxed));
                    *word = AtomicU64::new(found.sum());
                }
            }
        }
        sum
    }

    /// One sample more in a bucket; the word as it was before.
    ///
    /// Released: who counts the sample sees what its thread wrote before.
    #[inline]
    pub(crate) fn add(&self, bucket: usize, half: usize) -> u64 {
        self.word(bucket, half).fetch_add(one_in(bucket), Ordering::Release)
    }

    /// Whether something was added to a bucket or its neighbour since this thread added to it, and found it like this.
    pub(crate) fn moved_on(&self, bucket: usize, half: usize, before: u64) -> bool {
        self.word(bucket, half).load(Ordering::Relaxed) != before + one_in(bucket)
    }

    /// The one half, or both.
    #[inline]
    pub(crate) fn recent(&self, halves: [bool; 2]) -> Recent<'_> {
        let [zero, one] = &self.0;
        match halves {
            [true, true] => Recent { first: zero, second: Some(one) },
            [true, false] => Recent { first: zero, second: None },
            [false, _] => Recent { first: one, second: None },
        }
    }

    /// Empties a half, all groups of it: a thread that stood still for an epoch may have counted a sample where no mark
    /// is left.
    pub(crate) fn empty(&self, half: usize) {
        for word in self.0[half].iter().flatten() {
            if word.load(Ordering::Relaxed) != 0 {
                word.store(0, Ordering::Relaxed);
            }
        }
    }

    #[inline]
    fn word(&self, bucket: usize, half: usize) -> &AtomicU64 {
        &self.0[half][bucket / PER_GROUP][bucket % PER_GROUP / 2]
    }
}

impl Recent<'_> {
    /// The samples of a group.
    #[inline]
    pub(crate) fn in_group(self, group: usize) -> u64 {
        let all = |half: &Half| half[group].iter().map(|word| word.load(Ordering::Relaxed)).sum::<u64>();
        let (even, odd) = both(all(self.first) + self.second.map_or(0, all));
        even + odd
    }

    /// The samples of a group's pair of buckets.
    #[inline]
    pub(crate) fn in_pair(self, group: usize, pair: usize) -> (u64, u64) {
        let word = |half: &Half| half[group][pair].load(Ordering::Relaxed);
        both(word(self.first) + self.second.map_or(0, word))
    }
}

/// The samples of a bucket whose word was like this.
#[inline]
pub(crate) fn count_in(word: u64, bucket: usize) -> u64 {
    word >> shift_of(bucket) & 0xffff_ffff
}

fn one_in(bucket: usize) -> u64 {
    1 << shift_of(bucket)
}

fn shift_of(bucket: usize) -> u32 {
    32 * (bucket % 2) as u32
}

fn both(word: u64) -> (u64, u64) {
    (word & 0xffff_ffff, word >> 32)
}
