//! [`Expiry`]: how much of a running total is older than a while, without a clock read for each addition.
//!
//! The while is cut into ten slots. What the total was at the start of each slot is kept, so that whatever was added
//! before the slot ten back is what has expired: an addition is good for the while, and for a slot more at most. The
//! clock is read a few times a slot, not with every addition; between two readings the additions are taken to
//! have come evenly. How soon to read it next follows from how fast they came.
//!
//! A clock that reads more than the while before the latest slot was set back: what has not expired is then as good as
//! if it had been added just now.

use crate::atomic::{AtomicU64, Ordering::Relaxed};
use recourse_core::Moment;
use std::time::Duration;

/// Slots in the while.
const SLOTS: u64 = 10;
/// A power of two above [`SLOTS`].
const MARKS: usize = 16;
/// A guess goes wrong by at most one in so many of what has not expired.
const SMALL_PART: u64 = 32;
/// No slot has this number: a [`Moment`] ends long before.
const NEVER: u64 = u64::MAX;

/// The marks are written by whoever wins the exchange of `slot`; the others don't wait. A reader that comes in between
/// finds older totals, which expire less. Two threads that read the clock at once may leave the moment of one and the
/// total of the other: a guess, too.
pub(crate) struct Expiry {
    slot_nanos: u64,
    /// The latest slot that somebody saw since the clock was set back.
    slot: AtomicU64,
    /// The total at the start of each of the latest slots.
    marks: [AtomicU64; MARKS],
    /// When the clock was last read, and the total then.
    seen_at: AtomicU64,
    seen: AtomicU64,
}

impl Expiry {
    /// For a total that starts at `total` and may wrap. The first reading of the clock expires nothing.
    pub(crate) fn after(ttl: Duration, total: u64) -> Self {
        Expiry {
            slot_nanos: (u64::try_from(ttl.as_nanos()).unwrap_or(u64::MAX) / SLOTS).max(1),
            slot: AtomicU64::new(NEVER),
            marks: std::array::from_fn(|_| AtomicU64::new(0)),
            seen_at: AtomicU64::new(0),
            seen: AtomicU64::new(total),
        }
    }

    /// Whether `now` lies in a slot that nobody has seen, or the clock was set back.
    pub(crate) fn is_due(&self, now: Moment) -> bool {
        self.is_due_after(self.slot.load(Relaxed), now)
    }

    /// The total up to which everything has expired at `now`; `None` if nothing more has than at the last change of
    /// slot. `total` is what had been added before `now`. Changes nothing.
    pub(crate) fn expired(&self, now: Moment, total: u64) -> Option<u64> {
        let (slot, latest) = (self.slot_of(now), self.slot.load(Relaxed));
        if slot <= latest && latest != NEVER {
            return None;
        }
        Some(self.total_before(slot.checked_sub(SLOTS)?, latest, now, total))
    }

    /// Takes a reading of the clock, when `total` had been added before and `added` more just now. Goes on to the slot
    /// of `now`.
    pub(crate) fn read(&self, now: Moment, total: u64, added: u64) {
        let (slot, latest) = (self.slot_of(now), self.slot.load(Relaxed));
        if self.is_due_after(latest, now)
            && self.slot.compare_exchange(latest, slot, Relaxed, Relaxed).is_ok()
        {
            let oldest_mark = slot.saturating_sub(MARKS as u64 - 1);
            let was_set_back = slot < latest && latest != NEVER;
            let expired = self.mark(latest.wrapping_sub(SLOTS)).load(Relaxed);
            let first =
                if was_set_back || latest == NEVER { oldest_mark } else { oldest_mark.max(latest + 1) };
            for number in first..=slot {
                let before =
                    if was_set_back { expired } else { self.total_before(number, latest, now, total) };
                self.mark(number).store(before, Relaxed);
            }
        }
        if self.slot.load(Relaxed) == slot {
            self.seen.store(total.wrapping_add(added), Relaxed);
            self.seen_at.store(now.as_nanos(), Relaxed);
        }
    }

    /// How much may be added before the clock is read again: what will probably come until the next slot starts, as fast
    /// as it came since the last reading, but only a small part of what has not expired. So a wrong guess is a small
    /// error.
    pub(crate) fn until_next_reading(&self, now: Moment, total: u64) -> u64 {
        let slot = self.slot.load(Relaxed);
        if slot == NEVER {
            return 0;
        }
        let (added, elapsed) = self.since_seen(now, total);
        let left = self.slot_nanos - now.as_nanos() % self.slot_nanos;
        let oldest = slot.saturating_sub(SLOTS);
        let kept = total.wrapping_sub(self.mark(oldest).load(Relaxed));
        share(added, left, elapsed).min(kept / SMALL_PART)
    }

    #[cfg(test)]
    pub(crate) fn skip(&self, added: u64) {
        for total in self.marks.iter().chain([&self.seen]) {
            total.fetch_add(added, Relaxed);
        }
    }

    /// The total at the start of slot `number`, where `latest` is the latest slot that has a mark.
    fn total_before(&self, number: u64, latest: u64, now: Moment, total: u64) -> u64 {
        if latest == NEVER {
            return 0;
        }
        if number <= latest {
            return self.mark(number).load(Relaxed);
        }
        let (added, elapsed) = self.since_seen(now, total);
        let start = number.saturating_mul(self.slot_nanos);
        let before = start.saturating_sub(self.seen_at.load(Relaxed));
        total.wrapping_sub(added).wrapping_add(share(added, before, elapsed).min(added))
    }

    /// What was added since the last reading, and the nanoseconds since.
    fn since_seen(&self, now: Moment, total: u64) -> (u64, u64) {
        let added = total.wrapping_sub(self.seen.load(Relaxed));
        // Negative where another thread has just gone on with a later total.
        let added = if added > u64::MAX / 2 { 0 } else { added };
        (added, now.as_nanos().saturating_sub(self.seen_at.load(Relaxed)))
    }

    fn is_due_after(&self, latest: u64, now: Moment) -> bool {
        // Where `now` is later the difference wraps, and where there is no latest it is as large.
        latest.wrapping_sub(self.slot_of(now)) > SLOTS
    }

    fn mark(&self, slot: u64) -> &AtomicU64 {
        &self.marks[slot as usize % MARKS]
    }

    fn slot_of(&self, now: Moment) -> u64 {
        now.as_nanos() / self.slot_nanos
    }
}

/// `amount x part / whole`, as far as it fits.
fn share(amount: u64, part: u64, whole: u64) -> u64 {
    if whole == 0 {
        return u64::MAX;
    }
    u64::try_from(u128::from(amount) * u128::from(part) / u128::from(whole)).unwrap_or(u64::MAX)
}
