//! [`Expiry`]: how much of a running total is older than a while, without a clock read for each addition.
//!
//! The while is cut into ten slots. What the total was at the start of each slot is kept, so that whatever was added
//! before the slot ten back is what has expired: an addition is good for the while, and for a slot more at most. The
//! clock is read once or a few times a slot, not with every addition; between two readings the additions are taken to
//! have come evenly. How soon to read it next follows from how fast they came.

use crate::atomic::{AtomicU64, Ordering::Relaxed};
use recourse_core::Moment;
use std::time::Duration;

/// Slots in the while.
const SLOTS: u64 = 10;
/// A power of two above [`SLOTS`].
const MARKS: usize = 16;
/// No slot has this number: a [`Moment`] ends long before.
const NEVER: u64 = u64::MAX;

/// All words are written by whoever wins the exchange of `slot`; the others don't wait. A reader that comes in between
/// finds older totals, which expire less.
pub(crate) struct Expiry {
    slot_nanos: u64,
    /// The latest slot that somebody saw.
    slot: AtomicU64,
    /// The total at the start of each of the latest slots.
    marks: [AtomicU64; MARKS],
    /// When `slot` was last changed, and the total then.
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

    /// Whether `now` lies in a slot that nobody has seen.
    pub(crate) fn is_due(&self, now: Moment) -> bool {
        let slot = self.slot.load(Relaxed);
        slot == NEVER || self.slot_of(now) > slot
    }

    /// The total up to which everything has expired at `now`; `None` if nothing more has than at the last change of
    /// slot. `total` is what had been added before `now`. Changes nothing.
    pub(crate) fn expired(&self, now: Moment, total: u64) -> Option<u64> {
        if !self.is_due(now) {
            return None;
        }
        let oldest = self.slot_of(now).checked_sub(SLOTS)?;
        Some(self.total_before(oldest, self.slot.load(Relaxed), now, total))
    }

    /// Goes on to the slot of `now`, where `total` had been added before and `added` more just now.
    pub(crate) fn advance(&self, now: Moment, total: u64, added: u64) {
        let (slot, seen) = (self.slot_of(now), self.slot.load(Relaxed));
        if !self.is_due(now) || self.slot.compare_exchange(seen, slot, Relaxed, Relaxed).is_err() {
            return;
        }
        let oldest_mark = slot.saturating_sub(MARKS as u64 - 1);
        let first = if seen == NEVER { oldest_mark } else { oldest_mark.max(seen + 1) };
        for number in first..=slot {
            self.mark(number).store(self.total_before(number, seen, now, total), Relaxed);
        }
        self.seen.store(total.wrapping_add(added), Relaxed);
        self.seen_at.store(now.as_nanos(), Relaxed);
    }

    /// How much will probably be added until the next slot starts: never more than was since the last one did.
    pub(crate) fn until_next_slot(&self, now: Moment, total: u64) -> u64 {
        let (added, elapsed) = self.since_seen(now, total);
        let left = self.slot_nanos - now.as_nanos() % self.slot_nanos;
        added.min(share(added, left, elapsed))
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
        total.wrapping_sub(added).wrapping_add(share(added, before.min(elapsed), elapsed))
    }

    /// What was added since the last change of slot, and the nanoseconds since.
    fn since_seen(&self, now: Moment, total: u64) -> (u64, u64) {
        let added = total.wrapping_sub(self.seen.load(Relaxed));
        // Negative where another thread has just gone on with a later total.
        let added = if added > u64::MAX / 2 { 0 } else { added };
        (added, now.as_nanos().saturating_sub(self.seen_at.load(Relaxed)))
    }

    fn mark(&self, slot: u64) -> &AtomicU64 {
        &self.marks[slot as usize % MARKS]
    }

    fn slot_of(&self, now: Moment) -> u64 {
        now.as_nanos() / self.slot_nanos
    }
}

/// `amount x part / whole`, and all of it where the whole is nothing.
fn share(amount: u64, part: u64, whole: u64) -> u64 {
    if whole == 0 {
        return amount;
    }
    u64::try_from(u128::from(amount) * u128::from(part) / u128::from(whole)).unwrap_or(u64::MAX)
}
