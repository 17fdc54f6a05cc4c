//! [`Stripes`]: counters that threads share without fighting over one cache line.

use crate::sync::{AtomicU64, Ordering};

/// A mark and below it a count, in one word: so that whoever counts for a mark that has passed finds out in the same
/// atomic step.
#[derive(Debug)]
pub(crate) struct Cell(AtomicU64);

impl Cell {
    pub(crate) fn new(mark: u32) -> Self {
        Cell(AtomicU64::new(pack(mark, 0)))
    }

    pub(crate) fn read(&self) -> (u32, u32) {
        unpack(self.0.load(Ordering::Relaxed))
    }

    /// Sets the count to zero for a new mark.
    pub(crate) fn restart(&self, mark: u32) {
        // A store would do, but a model check lets a step of an older mark come behind one.
        self.0.swap(pack(mark, 0), Ordering::Relaxed);
    }

    /// Empties the cell; what it held if that is of this mark.
    pub(crate) fn take(&self, mark: u32) -> u32 {
        let (found, count) = unpack(self.0.swap(pack(mark, 0), Ordering::Relaxed));
        if found == mark { count } else { 0 }
    }

    /// Counts one for this mark, up to the most that can be counted. A count for another mark begins anew where that one
    /// `may_go`; else nothing is counted.
    #[inline]
    pub(crate) fn add_one(&self, mark: u32, may_go: impl Fn(u32) -> bool) {
        let none = pack(mark, 0);
        let mut seen = self.0.load(Ordering::Relaxed);
        loop {
            // As one number: a word of another mark is further away than any count.
            let next = match seen.wrapping_sub(none) < u64::from(u32::MAX) {
                true => seen + 1,
                false if seen != none | u64::from(u32::MAX) && may_go(unpack(seen).0) => none + 1,
                false => return,
            };
            match self.0.compare_exchange_weak(seen, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return,
                Err(newer) => seen = newer,
            }
        }
    }

    /// Replaces mark and count by what `next` makes of them, in one step; leaves them where it says `None`. What was
    /// replaced.
    pub(crate) fn step(&self, next: impl Fn(u32, u32) -> Option<(u32, u32)>) -> Option<(u32, u32)> {
        let mut seen = self.0.load(Ordering::Relaxed);
        loop {
            let (mark, count) = unpack(seen);
            let (mark, count) = next(mark, count)?;
            match self.0.compare_exchange_weak(seen, pack(mark, count), Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(replaced) => return Some(unpack(replaced)),
                Err(newer) => seen = newer,
            }
        }
    }
}

fn pack(mark: u32, count: u32) -> u64 {
    u64::from(mark) << 32 | u64::from(count)
}

#[allow(clippy::cast_possible_truncation, reason = "the two halves of the word")]
fn unpack(word: u64) -> (u32, u32) {
    ((word >> 32) as u32, word as u32)
}

/// A row of cells for each of a few groups of threads. Its memory is fixed at construction: 128 bytes a stripe (for up
/// to 16 cells a row), and twice as many stripes as processors, at least 4 and at most 16.
#[derive(Debug)]
pub(crate) struct Stripes<const CELLS: usize>(Box<[Row<CELLS>]>);

/// Two cache lines: processors fetch them in pairs.
#[derive(Debug)]
#[repr(align(128))]
struct Row<const CELLS: usize>([Cell; CELLS]);

impl<const CELLS: usize> Stripes<CELLS> {
    pub(crate) fn new(mark: u32) -> Self {
        Stripes((0..turn::stripes()).map(|_| Row(std::array::from_fn(|_| Cell::new(mark)))).collect())
    }

    /// The row of this thread.
    #[inline]
    pub(crate) fn mine(&self) -> &[Cell; CELLS] {
        &self.0[turn::mine() & (self.0.len() - 1)].0
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = &[Cell; CELLS]> {
        self.0.iter().map(|row| &row.0)
    }

    pub(crate) fn restart(&self, mark: u32) {
        for row in self.rows() {
            for cell in row {
                cell.restart(mark);
            }
        }
    }
}

/// Which stripe is whose.
#[cfg(not(recourse_loom))]
mod turn {
    pub(super) use recourse_core::threads::turn as mine;

    /// A power of two.
    #[inline]
    pub(super) fn stripes() -> usize {
        (2 * recourse_core::threads::at_once()).clamp(4, 16).next_power_of_two()
    }
}

/// A model check lets all threads fight over one stripe: the worst case.
#[cfg(recourse_loom)]
mod turn {
    pub(super) fn stripes() -> usize {
        1
    }

    pub(super) fn mine() -> usize {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_two_cache_lines() {
        assert_eq!(size_of::<Row<1>>(), 128);
        assert_eq!(size_of::<Row<10>>(), 128);
    }

    #[test]
    fn one_is_added_to_a_count_of_its_mark_or_in_place_of_one_that_may_go() {
        let word = |cell: &Cell, mark: u32, count: u32| cell.0.store(pack(mark, count), Ordering::Relaxed);
        let cell = Cell::new(7);
        for (before, may_go, after) in [
            ((7, 0), false, (7, 1)),
            ((7, 41), true, (7, 42)),
            ((7, u32::MAX - 1), true, (7, u32::MAX)),
            ((7, u32::MAX), true, (7, u32::MAX)),
            ((6, 41), true, (7, 1)),
            ((6, u32::MAX), true, (7, 1)),
            ((8, 0), true, (7, 1)),
            ((u32::MAX, u32::MAX), true, (7, 1)),
            ((6, 41), false, (6, 41)),
            ((8, 0), false, (8, 0)),
        ] {
            word(&cell, before.0, before.1);
            cell.add_one(7, |mark| mark == before.0 && may_go);
            assert_eq!(cell.read(), after, "{before:?} {may_go}");
        }
    }

    #[test]
    fn a_cell_gives_up_what_is_of_its_mark_alone() {
        let cell = Cell::new(7);
        assert_eq!(cell.step(|mark, count| Some((mark, count + 3))), Some((7, 0)));
        assert_eq!(cell.step(|_, _| None), None);
        assert_eq!(cell.read(), (7, 3));
        assert_eq!(cell.take(8), 0);
        assert_eq!(cell.read(), (8, 0));
        cell.step(|mark, count| Some((mark, count + 2)));
        assert_eq!(cell.take(8), 2);
    }
}
