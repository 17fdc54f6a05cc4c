//! [`Flow`]: a level that refills with time, kept as what has left it.

use crate::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use crate::refill::Refill;
use recourse_core::{BudgetRequest, Moment};

/// Nobody has asked yet. Later than any moment, so that the first one sets the clock back.
const NEVER: u64 = u64::MAX;

/// A level that is a function of the moment, less what was taken.
///
/// `outflow` alone decides: to take is one compare-and-exchange of it, and no more can be taken than has flowed in by a
/// moment that somebody saw. `seen` only keeps a clock that goes a little backwards from emptying the bucket; a thread
/// that stores an older moment there, between another's look and its own store, costs nobody a token.
///
/// # A clock that was set back
///
/// One that reads [far](Refill::far) before the latest moment goes on from there: the level stays, and what left is
/// counted anew. `seen` goes first: whoever reads the new outflow reads the new moment too, and can't take what would
/// have been there at the old one. Where others come in between, the level may be lost; more never comes of it.
pub(crate) struct Flow {
    refill: Refill,
    /// All that has left, in parts: taken, or spilled because there was no room.
    outflow: AtomicU64,
    /// The inflow by the latest moment at which somebody asked, in parts.
    seen: AtomicU64,
}

/// What the [usual](Flow::usual) way finds, and the outflow that is to be.
struct Usual {
    outflow: u64,
    seen: u64,
    by_now: u64,
    after: u64,
}

impl Flow {
    /// A level that is at its capacity at first.
    pub(crate) fn full(refill: Refill) -> Self {
        Flow { seen: AtomicU64::new(refill.inflow(Moment::ZERO)), outflow: AtomicU64::new(0), refill }
    }

    /// A level that is zero when somebody first asks, whatever the clock reads then.
    pub(crate) fn empty(refill: Refill) -> Self {
        Flow { seen: AtomicU64::new(NEVER), outflow: AtomicU64::new(NEVER), refill }
    }

    /// Decides and takes the request's cost. Reads no clock where the cost exceeds the capacity.
    #[inline]
    pub(crate) fn take(&self, request: &BudgetRequest<'_>) -> bool {
        if !self.refill.holds(request.cost()) {
            return false;
        }
        let now = request.now();
        let parts = self.refill.parts_of(request.cost());
        let Some(usual) = self.usual(now, parts) else {
            return self.take_otherwise(now, parts);
        };
        if usual.by_now > usual.seen {
            self.seen.store(usual.by_now, Relaxed);
        }
        match self.outflow.compare_exchange_weak(usual.outflow, usual.after, Relaxed, Relaxed) {
            Ok(_) => true,
            Err(_) => self.take_again(usual.by_now.max(usual.seen), parts),
        }
    }

    /// What is the case as a rule: the clock was not set back, and there is enough. The clock is waited for only where what
    /// it read goes into the sum; all else is a comparison that comes out as it did before.
    #[inline]
    fn usual(&self, now: Moment, parts: u64) -> Option<Usual> {
        let (outflow, seen) = self.read();
        let Refill { capacity, far, .. } = self.refill;
        let refilled = self.refill.refilled(now.as_nanos());
        let by_now = refilled.checked_add(capacity)?;
        let spills = match by_now >= seen {
            true => refilled,
            false if seen - by_now <= far => self.spills(seen),
            false => return None,
        };
        self.after_taking(parts, spills, outflow).map(|after| Usual { outflow, seen, by_now, after })
    }

    #[cold]
    #[inline(never)]
    fn take_otherwise(&self, now: Moment, parts: u64) -> bool {
        self.take_from(self.look(self.refill.inflow(now)), parts)
    }

    #[cold]
    #[inline(never)]
    fn take_again(&self, inflow: u64, parts: u64) -> bool {
        self.take_from(self.look_again(inflow), parts)
    }

    fn take_from(&self, (mut outflow, mut inflow): (u64, u64), parts: u64) -> bool {
        while let Some(after) = self.after_taking(parts, self.spills(inflow), outflow) {
            if self.outflow.compare_exchange_weak(outflow, after, Relaxed, Relaxed).is_ok() {
                return true;
            }
            (outflow, inflow) = self.look_again(inflow);
        }
        false
    }

    /// Whether [`take`](Self::take) would succeed; takes nothing. Where nothing is ever taken because this says no, a
    /// clock that was set back is noticed here.
    pub(crate) fn covers(&self, request: &BudgetRequest<'_>) -> bool {
        if !self.refill.holds(request.cost()) {
            return false;
        }
        let (now, parts) = (request.now(), self.refill.parts_of(request.cost()));
        self.usual(now, parts).is_some() || self.covers_otherwise(now, parts)
    }

    #[inline(never)]
    fn covers_otherwise(&self, now: Moment, parts: u64) -> bool {
        let by_now = self.refill.inflow(now);
        let (outflow, seen) = self.read();
        let (outflow, inflow) = match self.was_set_back(by_now, outflow, seen) {
            true => self.look(by_now),
            false => (outflow, by_now.max(seen)),
        };
        self.after_taking(parts, self.spills(inflow), outflow).is_some()
    }

    /// Counts from `now` on, if nobody has asked before.
    pub(crate) fn start(&self, now: Moment) {
        self.look(self.refill.inflow(now));
    }

    /// Gives so many tokens back; there is never more than the capacity.
    pub(crate) fn give_back(&self, tokens: u32) {
        if self.refill.holds(tokens) {
            let parts = self.refill.parts_of(tokens);
            let less = |outflow: u64| Some(outflow.saturating_sub(parts));
            _ = self.outflow.fetch_update(Relaxed, Relaxed, less);
        }
    }

    /// Whole tokens at `now`.
    pub(crate) fn tokens(&self, now: Moment) -> u64 {
        self.refill.tokens_in(self.level(now))
    }

    /// What there is at `now`, in parts. Where the clock was set back, what there was at the latest moment.
    pub(crate) fn level(&self, now: Moment) -> u64 {
        let (outflow, seen) = self.read();
        self.level_of(self.refill.inflow(now).max(seen), outflow)
    }

    /// In this order, see [above](Self).
    fn read(&self) -> (u64, u64) {
        let outflow = self.outflow.load(Acquire);
        (outflow, self.seen.load(Relaxed))
    }

    /// The outflow, and the inflow by now or by the latest moment.
    fn look(&self, by_now: u64) -> (u64, u64) {
        let (outflow, seen) = self.read();
        if self.was_set_back(by_now, outflow, seen) {
            self.set_back(by_now, outflow, seen);
            return self.look_again(by_now);
        }
        if by_now > seen {
            self.seen.store(by_now, Relaxed);
        }
        (outflow, by_now.max(seen))
    }

    /// The same for who has looked. If the clock was set back since, by `inflow` or from it, another's moment counts: so
    /// nobody's reading is a step ahead, or back, more than once.
    fn look_again(&self, inflow: u64) -> (u64, u64) {
        let (outflow, seen) = self.read();
        let is_later = inflow > seen && inflow - seen <= self.refill.far;
        (outflow, if is_later { inflow } else { seen })
    }

    /// Whether the latest moment, or what was taken at it, is too far ahead for threads that are out of step.
    fn was_set_back(&self, by_now: u64, outflow: u64, seen: u64) -> bool {
        let latest = seen.max(outflow);
        latest > by_now && (latest - by_now > self.refill.far || latest == NEVER)
    }

    /// The level stays, and counts from now on.
    #[cold]
    fn set_back(&self, by_now: u64, outflow: u64, seen: u64) {
        let anew = by_now.saturating_sub(self.level_of(seen, outflow));
        self.seen.store(by_now, Relaxed);
        // Fails where another was first. Or where somebody takes or gives back at the old moment: then the next who asks
        // finds an outflow that is ahead of any inflow, and no level.
        _ = self.outflow.compare_exchange(outflow, anew, Release, Relaxed);
    }

    fn level_of(&self, inflow: u64, outflow: u64) -> u64 {
        inflow.saturating_sub(outflow.max(self.spills(inflow)))
    }

    /// The outflow once so many parts are taken; `None` if there are fewer. `spills` is what has left at least.
    #[inline]
    fn after_taking(&self, parts: u64, spills: u64, outflow: u64) -> Option<u64> {
        let left = outflow.max(spills);
        (left - spills <= self.refill.capacity - parts).then(|| left + parts)
    }

    /// What has left at least by such an inflow: there is no room for it.
    fn spills(&self, inflow: u64) -> u64 {
        inflow.saturating_sub(self.refill.capacity)
    }
}
