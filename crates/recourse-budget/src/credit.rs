//! [`Credit`]: what first attempts pay in, extras draw, and time lets expire.

use crate::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed},
};
use crate::expiry::Expiry;
use recourse_core::{BudgetRequest, Moment};
use std::time::Duration;

/// The parts that an extra of cost 1 draws.
pub(crate) const EXTRA: u64 = 1_000_000_000;
/// What is kept at most: more than an attempt can cost, and half of what the difference of two words can say.
const MOST: u64 = 1 << 62;
/// Payments between two looks at the clock, at most.
const LONGEST_STRIDE: u64 = 1 << 16;

/// Two running totals, in parts, and the credit is their difference. They may wrap: the difference stays below 2^63,
/// because what lies above [`MOST`] is forfeited at each look.
///
/// `drawn` alone decides: to draw is one compare-and-exchange of it. `paid_in` only grows, so an older one that a
/// thread still sees can't allow too much.
pub(crate) struct Credit {
    /// What a first attempt pays in.
    payment: u64,
    paid_in: AtomicU64,
    /// All that was drawn or has expired.
    drawn: AtomicU64,
    /// What `paid_in` will be when a payment next looks at the clock.
    look_at: AtomicU64,
    expiry: Expiry,
}

impl Credit {
    pub(crate) fn new(payment: u64, initial: u32, ttl: Duration) -> Self {
        let initial = u64::from(initial) * EXTRA;
        Credit {
            payment,
            paid_in: AtomicU64::new(initial),
            drawn: AtomicU64::new(0),
            look_at: AtomicU64::new(0),
            expiry: Expiry::after(ttl, initial),
        }
    }

    /// A first attempt pays in. Wait-free, and seldom reads the clock; says whether it did.
    pub(crate) fn pay_in(&self, request: &BudgetRequest<'_>) -> bool {
        let before = self.paid_in.fetch_add(self.payment, Relaxed);
        let looks = later(before, self.look_at.load(Relaxed)) == before;
        if looks {
            self.look(request.now(), before, self.payment);
        }
        looks
    }

    /// The first attempt that paid in was never sent. It draws its own payment, so that `paid_in` needs never shrink;
    /// if that is spent already, the next payments settle the debt.
    pub(crate) fn take_payment_back(&self) {
        self.drawn.fetch_add(self.payment, AcqRel);
    }

    /// Whether time has come that nobody has looked at.
    pub(crate) fn is_due(&self, now: Moment) -> bool {
        self.expiry.is_due(now)
    }

    /// Decides and draws the request's cost.
    pub(crate) fn draw(&self, request: &BudgetRequest<'_>) -> bool {
        let (parts, now) = (parts_of(request), request.now());
        if self.expiry.is_due(now) {
            self.look(now, self.paid_in.load(Relaxed), 0);
        }
        let mut drawn = self.drawn.load(Acquire);
        while covers(self.paid_in.load(Relaxed), drawn, parts) {
            match self.drawn.compare_exchange_weak(drawn, drawn.wrapping_add(parts), AcqRel, Acquire) {
                Ok(_) => return true,
                Err(current) => drawn = current,
            }
        }
        false
    }

    /// Whether [`draw`](Self::draw) would succeed; draws nothing. Where nothing is ever drawn because this says no, the
    /// clock is looked at here: otherwise what is paid in after a pause would count as if it had come during it.
    pub(crate) fn covers(&self, request: &BudgetRequest<'_>) -> bool {
        let now = request.now();
        let drawn = self.drawn.load(Acquire);
        let paid_in = self.paid_in.load(Relaxed);
        let drawn = self.settled(drawn, paid_in, self.expiry.expired(now, paid_in));
        let covers = covers(paid_in, drawn, parts_of(request));
        if !covers && self.expiry.is_due(now) {
            self.look(now, paid_in, 0);
        }
        covers
    }

    /// An extra that drew its cost was never sent.
    pub(crate) fn give_back(&self, request: &BudgetRequest<'_>) {
        self.drawn.fetch_sub(parts_of(request), AcqRel);
    }

    /// The credit at `now`, in parts; zero where there is a debt.
    pub(crate) fn level(&self, now: Moment) -> u64 {
        let drawn = self.drawn.load(Acquire);
        let paid_in = self.paid_in.load(Relaxed);
        let drawn = self.settled(drawn, paid_in, self.expiry.expired(now, paid_in));
        if later(paid_in, drawn) == drawn { 0 } else { paid_in.wrapping_sub(drawn) }
    }

    /// As if so many parts had been paid in and expired.
    #[cfg(test)]
    pub(crate) fn skip(&self, parts: u64) {
        for total in [&self.paid_in, &self.drawn, &self.look_at] {
            total.fetch_add(parts, Relaxed);
        }
        self.expiry.skip(parts);
    }

    /// Lets expire what has, and says when the clock is to be looked at again. Of `before + payment`, the payment is
    /// known to have come at `now`.
    #[cold]
    fn look(&self, now: Moment, before: u64, payment: u64) {
        let paid_in = before.wrapping_add(payment);
        let stride = self.expiry.until_next_reading(now, paid_in);
        let stride = stride.clamp(self.payment, self.payment * LONGEST_STRIDE);
        self.look_at.store(before.wrapping_add(stride), Relaxed);
        let expired = self.expiry.expired(now, before);
        self.expiry.read(now, before, payment);
        let settle = |drawn| {
            let settled = self.settled(drawn, paid_in, expired);
            (settled != drawn).then_some(settled)
        };
        _ = self.drawn.fetch_update(AcqRel, Acquire, settle);
    }

    /// `drawn` once what has expired is gone, and what is more than can be kept.
    fn settled(&self, drawn: u64, paid_in: u64, expired: Option<u64>) -> u64 {
        let kept = later(drawn, paid_in.wrapping_sub(MOST));
        expired.map_or(kept, |expired| later(kept, expired))
    }
}

fn parts_of(request: &BudgetRequest<'_>) -> u64 {
    u64::from(request.cost()) * EXTRA
}

fn covers(paid_in: u64, drawn: u64, parts: u64) -> bool {
    let level = paid_in.wrapping_sub(drawn) as i64;
    u64::try_from(level).is_ok_and(|level| level >= parts)
}

/// The later of two totals that may have wrapped; the first if they are equal.
fn later(one: u64, other: u64) -> u64 {
    if other.wrapping_sub(one) as i64 > 0 { other } else { one }
}
