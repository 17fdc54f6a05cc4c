//! [`Turn`]: which half of the window is being written, and since when, in one word.
//!
//! Time is cut into epochs of 30 seconds. The window has two halves: one takes the samples of the present epoch, the
//! other keeps those of the epoch before. When an epoch is over the older half is emptied and takes its turn.
//!
//! Turns are numbered: two turns of one epoch would look alike where a clock went back and forth between them.

use recourse_core::Moment;

/// The length of an epoch in nanoseconds.
const EPOCH: u64 = 30_000_000_000;
const HALF_BIT: u64 = 1;
const CHANGING_BIT: u64 = 2;
const ALONE_BIT: u64 = 4;
/// The number of the turn, above the flags.
const ONE_TURN: u64 = 8;
const NUMBER_BITS: u64 = 0xffff * ONE_TURN;
/// The epoch, above the number.
const EPOCH_SHIFT: u32 = 19;
/// The lower half of a word.
const LOWER: u64 = 0xffff_ffff;

/// Epoch, number of the turn, half in writing, and flags, packed so that one atomic word holds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn(pub(crate) u64);

impl Turn {
    /// No sample has been recorded yet.
    pub(crate) const UNUSED: Turn = Turn(u64::MAX ^ CHANGING_BIT);

    /// No turn of any window.
    pub(crate) const NONE: Turn = Turn(u64::MAX);

    /// The first turn of a window; there is nothing older.
    pub(crate) fn first(now: Moment) -> Self {
        Turn(epoch_of(now) << EPOCH_SHIFT | ALONE_BIT)
    }

    /// Whether a sample of `now` may go into the half in writing.
    ///
    /// True too for one from the end of the epoch before: its thread was overtaken.
    #[inline]
    pub(crate) fn takes(self, now: Moment) -> bool {
        self.epoch().wrapping_sub(epoch_of(now)) <= 1
    }

    /// Whether some thread is emptying the other half right now.
    pub(crate) fn is_changing(self) -> bool {
        self.0 & CHANGING_BIT != 0
    }

    /// The same while the other half is emptied.
    pub(crate) fn changing(self) -> Self {
        Turn(self.0 | CHANGING_BIT)
    }

    /// The other half's turn, from `now` on.
    ///
    /// What was written last is kept beside it if it is of the epoch before. It is kept too when the clock has gone
    /// backwards, since then nobody can tell how old it is; it goes at the next change.
    pub(crate) fn next(self, now: Moment) -> Self {
        let epoch = epoch_of(now);
        let alone = if epoch > self.epoch() + 1 { ALONE_BIT } else { 0 };
        let number = self.0.wrapping_add(ONE_TURN) & NUMBER_BITS;
        Turn(epoch << EPOCH_SHIFT | number | alone | (self.0 & HALF_BIT ^ HALF_BIT))
    }

    /// The half in writing, 0 or 1.
    #[inline]
    pub(crate) fn half(self) -> usize {
        (self.0 & HALF_BIT) as usize
    }

    /// The bits of the halves that are recent at `now`; 0 for none.
    #[inline]
    pub(crate) fn recent(self, now: Moment) -> u64 {
        if self == Turn::UNUSED {
            return 0;
        }
        match epoch_of(now).saturating_sub(self.epoch()) {
            0 if self.0 & ALONE_BIT == 0 => u64::MAX,
            0 | 1 => bits_of(self.half()),
            _ => 0,
        }
    }

    /// Whether the epoch is not over at `now`, and nobody is emptying the other half: what is recent stays recent.
    #[inline]
    pub(crate) fn lasts(self, now: Moment) -> bool {
        !self.is_changing() && now.as_nanos() < (self.epoch() + 1).saturating_mul(EPOCH)
    }

    fn epoch(self) -> u64 {
        self.0 >> EPOCH_SHIFT
    }
}

/// The bits of a word that are for half 0 or half 1.
#[inline]
pub(crate) fn bits_of(half: usize) -> u64 {
    LOWER << shift_of(half)
}

/// The lowest of them.
#[inline]
pub(crate) fn lowest_of(half: usize) -> u64 {
    1 << shift_of(half)
}

fn shift_of(half: usize) -> u32 {
    32 * half as u32
}

fn epoch_of(now: Moment) -> u64 {
    now.as_nanos() / EPOCH
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(epoch: u64) -> Moment {
        Moment::from_nanos(epoch * EPOCH + 5)
    }

    #[test]
    fn an_unused_turn_takes_nothing_and_shows_nothing() {
        for now in [at(0), at(1), Moment::from_nanos(u64::MAX)] {
            assert!(!Turn::UNUSED.takes(now) && !Turn::UNUSED.is_changing());
            assert_eq!(Turn::UNUSED.recent(now), 0);
            assert_ne!(Turn::first(now), Turn::UNUSED);
            assert_ne!(Turn::first(now).next(now).changing(), Turn::UNUSED);
            assert_ne!(Turn::first(now).next(now).changing(), Turn::NONE);
        }
    }

    #[test]
    fn halves_alternate_and_the_older_is_shown_for_one_epoch() {
        let turn = Turn::first(at(7)).next(at(8));
        assert_eq!([6, 7, 8, 9].map(|epoch| turn.takes(at(epoch))), [false, true, true, false]);
        assert_eq!(turn.half(), 1);
        assert_eq!([7, 8, 9, 10].map(|epoch| turn.recent(at(epoch))), [u64::MAX, u64::MAX, bits_of(1), 0]);
        assert_eq!(turn.next(at(9)).half(), 0);
    }

    #[test]
    fn a_turn_lasts_to_the_end_of_its_epoch_unless_the_window_is_changing() {
        let turn = Turn::first(at(7));
        let end = Moment::from_nanos(8 * EPOCH);
        assert!(
            turn.lasts(Moment::ZERO) && turn.lasts(Moment::from_nanos(8 * EPOCH - 1)) && !turn.lasts(end)
        );
        assert!(!turn.changing().lasts(at(7)));
        assert!(Turn::first(Moment::from_nanos(u64::MAX)).lasts(Moment::from_nanos(u64::MAX - 1)));
    }

    #[test]
    fn no_turn_of_a_clock_that_goes_to_and_fro_looks_like_another() {
        let mut turns = vec![Turn::first(at(7))];
        for round in 0..1_000 {
            turns.push(turns[round].next(at(if round % 2 == 0 { 3 } else { 7 })));
        }
        assert!(turns.iter().all(|turn| [3, 7].contains(&turn.epoch())));
        let all = turns.len();
        turns.sort_unstable_by_key(|turn| turn.0);
        turns.dedup();
        assert_eq!(turns.len(), all);
    }

    #[test]
    fn what_was_written_before_a_gap_is_not_shown() {
        let turn = Turn::first(at(7)).next(at(9));
        assert_eq!(turn.recent(at(9)), bits_of(turn.half()));
    }

    #[test]
    fn a_clock_far_back_starts_a_new_turn_beside_the_old_one() {
        let turn = Turn::first(at(1_000));
        assert!(!turn.takes(at(3)));
        assert_eq!(turn.next(at(3)).recent(at(3)), u64::MAX);
    }
}
