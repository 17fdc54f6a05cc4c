//! [`Stripes`]: counters that threads have to themselves, for a window that they were seen to fight over.
//!
//! The idea is that of `Striped64`, behind `LongAdder` (Doug Lea, JSR 166): one cell until threads meet at it, and then
//! one for each few of them, over which who reads takes the sum.

use crate::counters::Counters;

/// None until they are made.
pub(crate) struct Stripes(lazily::Made);

impl Stripes {
    #[cfg(not(recourse_loom))]
    pub(crate) const fn new() -> Self {
        Stripes(lazily::Made::new())
    }

    #[cfg(recourse_loom)]
    pub(crate) fn new() -> Self {
        Stripes(lazily::Made::new())
    }

    /// Makes them, unless another thread was faster.
    #[cold]
    pub(crate) fn make(&self) {
        lazily::make(&self.0);
    }

    /// All there are.
    #[inline]
    pub(crate) fn all(&self) -> &[Counters] {
        self.0.get().map_or(&[], |stripes| stripes)
    }

    /// This thread's, if there are any.
    pub(crate) fn mine(&self) -> Option<&Counters> {
        let all = self.all();
        all.get(lazily::turn() & all.len().wrapping_sub(1))
    }
}

#[cfg(not(recourse_loom))]
mod lazily {
    use super::Counters;
    use std::sync::OnceLock;

    pub(super) use recourse_core::threads::turn;

    pub(super) type Made = OnceLock<Box<[Counters]>>;

    /// As many as processors, up to the next power of two. Not more: who reads has to load all of them.
    pub(super) fn make(made: &Made) {
        let stripes = recourse_core::threads::at_once().clamp(2, 16).next_power_of_two();
        // Allocated before: nobody waits for anything but a pointer.
        let _ = made.set((0..stripes).map(|_| Counters::new()).collect());
    }
}

/// A model check has no lock that is set once: there is one stripe from the start, which nobody counts in until the
/// window says so. All threads fight over it: the worst case.
#[cfg(recourse_loom)]
mod lazily {
    use super::Counters;

    pub(super) struct Made([Counters; 1]);

    impl Made {
        pub(super) fn new() -> Self {
            Made([Counters::new()])
        }

        pub(super) fn get(&self) -> Option<&[Counters]> {
            Some(&self.0)
        }
    }

    pub(super) fn make(_: &Made) {}

    pub(super) fn turn() -> usize {
        0
    }
}

#[cfg(all(test, not(recourse_loom)))]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn there_are_none_until_they_are_made_and_then_they_stay() {
        let stripes = Stripes::new();
        assert!(stripes.all().is_empty() && stripes.mine().is_none());
        stripes.make();
        let (made, mine) = (stripes.all().as_ptr(), stripes.mine().map(std::ptr::from_ref));
        assert!(stripes.all().len().is_power_of_two() && (2..=16).contains(&stripes.all().len()));
        stripes.make();
        assert_eq!((stripes.all().as_ptr(), stripes.mine().map(std::ptr::from_ref)), (made, mine));
    }

    #[test]
    fn threads_have_different_stripes() {
        let stripes = Stripes::new();
        stripes.make();
        let all = stripes.all().len();
        let mine = || stripes.mine().map(|mine| std::ptr::from_ref(mine).addr());
        // Other tests' threads take turns, too.
        let threads = 8 * all;
        let taken: HashSet<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(mine)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(taken.len() > 1 && taken.len() <= all);
    }
}
