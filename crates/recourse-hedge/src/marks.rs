//! [`Marks`]: which groups of buckets hold a sample, so that who reads looks nowhere else.

use crate::atomics::{AtomicU64, Ordering};
use crate::buckets::GROUPS;
use crate::turn::{bits_of, lowest_of};

/// Set once threads have stripes: the last bit of either half.
const STRIPED: u64 = STRIPED_HALF | STRIPED_HALF << 32;
const STRIPED_HALF: u64 = 1 << 31;
const ALL: u32 = (1 << GROUPS) - 1;
const _: () = assert!(GROUPS < 31);

/// A bit for each group, either half of the window in its half of the word, and one that says whether threads have
/// stripes: whoever records a sample finds all of it in one load.
///
/// Relaxed: a sample's mark is set before the sample is counted, by its thread or by one whose mark that thread saw; so
/// who reads after the sample sees the mark as well.
pub(crate) struct Marks(AtomicU64);

/// What a thread saw.
#[derive(Clone, Copy)]
pub(crate) struct Seen(u64);

impl Marks {
    #[cfg(not(recourse_loom))]
    pub(crate) const fn new() -> Self {
        Marks(AtomicU64::new(0))
    }

    #[cfg(recourse_loom)]
    pub(crate) fn new() -> Self {
        Marks(AtomicU64::new(0))
    }

    #[inline]
    pub(crate) fn see(&self) -> Seen {
        Seen(self.0.load(Ordering::Relaxed))
    }

    /// Marks a group of a half.
    pub(crate) fn mark(&self, group: usize, half: usize) {
        self.0.fetch_or(lowest_of(half) << group, Ordering::Relaxed);
    }

    /// No group of this half is marked any more.
    pub(crate) fn clear(&self, half: usize) {
        self.0.fetch_and(!bits_of(half) | STRIPED, Ordering::Relaxed);
    }

    /// From now on threads count in stripes.
    pub(crate) fn set_striped(&self) {
        self.0.fetch_or(STRIPED, Ordering::Release);
    }
}

impl Seen {
    /// Whether the group is marked, and threads have no stripes: the usual case.
    #[inline]
    pub(crate) fn is_usual(self, group: usize, half: usize) -> bool {
        let marks = self.0 / lowest_of(half);
        marks >> group & 1 != 0 && marks & STRIPED_HALF == 0
    }

    pub(crate) fn has(self, group: usize, half: usize) -> bool {
        self.0 & lowest_of(half) << group != 0
    }

    #[inline]
    pub(crate) fn is_striped(self) -> bool {
        self.0 & STRIPED != 0
    }

    /// The groups that are marked in the halves of these bits, in order.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "the two halves of the word")]
    pub(crate) fn groups(self, halves: u64) -> impl Iterator<Item = usize> {
        let marked = self.0 & halves;
        let mut left = (marked as u32 | (marked >> 32) as u32) & ALL;
        std::iter::from_fn(move || {
            let group = left.trailing_zeros() as usize;
            left &= left.wrapping_sub(1);
            // Says to the compiler, too, that there are so many groups.
            (group < GROUPS).then_some(group)
        })
    }
}

#[cfg(all(test, not(recourse_loom)))]
mod tests {
    use super::*;

    fn groups(marks: &Marks, halves: u64) -> Vec<usize> {
        marks.see().groups(halves).collect()
    }

    #[test]
    fn each_half_has_its_marks() {
        let marks = Marks::new();
        for (group, half) in [(0, 0), (18, 0), (0, 1), (7, 1)] {
            assert!(!marks.see().has(group, half));
            marks.mark(group, half);
            assert!(marks.see().has(group, half) && marks.see().is_usual(group, half));
        }
        assert_eq!(groups(&marks, bits_of(0)), [0, 18]);
        assert_eq!(groups(&marks, bits_of(1)), [0, 7]);
        assert_eq!(groups(&marks, u64::MAX), [0, 7, 18]);
        marks.clear(0);
        assert_eq!(groups(&marks, u64::MAX), [0, 7]);
    }

    #[test]
    fn stripes_are_no_group_and_stay() {
        let marks = Marks::new();
        marks.set_striped();
        marks.mark(3, 0);
        assert!(marks.see().is_striped() && !marks.see().is_usual(3, 0));
        assert_eq!(groups(&marks, u64::MAX), [3]);
        for half in [0, 1] {
            marks.clear(half);
        }
        assert!(marks.see().is_striped());
        assert_eq!(groups(&marks, u64::MAX), [0; 0]);
    }
}
