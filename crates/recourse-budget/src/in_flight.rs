//! [`InFlight`]: extra attempts as a share of all that are in flight.

use crate::atomic::{AtomicU64, Ordering::Relaxed};
use crate::codes::DENIED;
use crate::decimal::parts;
use crate::error::BudgetConfigError;
use recourse_core::{AttemptEnd, Budget, BudgetRequest, Decision, Label};
use std::fmt;

/// The parts of a whole.
const WHOLE: u64 = 1_000_000_000;

/// Bounds extras (retries and hedges) that run at once: the retry budget of Envoy's circuit breakers, and of
/// failsafe-go.
///
/// An extra starts if afterwards
///
/// > extras in flight <= max(share x all in flight, floor)
///
/// and is denied with `budget_denied` otherwise; `all` is first attempts and extras together. By default the share is
/// 20 % and the floor 3, as in Envoy. First attempts are counted and never denied. An extra weighs its cost, on both
/// sides; what would not fit into 32 bits is denied.
///
/// An attempt is in flight from the moment it is allowed until it has ended, however it ends, a drop included. A caller
/// that waits for its backoff is not in flight. First attempts that end lower the share: the extras that run go on, and
/// the next one is judged by what is in flight then.
///
/// It bounds how many run at once, not how many run in a second: a service that fails fast sees many. Join it with a
/// budget that bounds the rate by [`AllOf`](crate::AllOf).
///
/// Both counts stand in one word, so no two extras can pass on the same count. It allocates nothing: an attempt leaves
/// the count when the budget hears of its end ([`Budget::on_outcome`]) or that it was never sent ([`Budget::refund`]),
/// exactly one of which follows each allowed attempt. It never reads the clock.
///
/// ```
/// use recourse_budget::InFlight;
/// use recourse_core::{AttemptEnd, AttemptKind, Budget, BudgetRequest, Ending, Key, Moment, Now, Outcome};
///
/// let budget = InFlight::new(0.0, 1)?; // one at a time
/// let (key, now) = (Key::from_static("payments.Charge"), Now::at(Moment::ZERO));
/// let retry = BudgetRequest::new(&key, 1, AttemptKind::Retry, Now::at(Moment::ZERO));
/// assert!(budget.allow_attempt(&retry).allowed);
/// assert!(!budget.allow_attempt(&retry).allowed);
///
/// let success = Outcome::success();
/// budget.on_outcome(&AttemptEnd::new(&key, 1, AttemptKind::Retry, Ending::Won, &success, &now));
/// assert!(budget.allow_attempt(&retry).allowed);
/// # Ok::<(), recourse_budget::BudgetConfigError>(())
/// ```
pub struct InFlight {
    share: f64,
    floor: u32,
    /// The share in parts.
    share_parts: u64,
    /// Two counts: see [`Counts`].
    counts: AtomicU64,
}

impl Default for InFlight {
    /// Envoy's numbers: 20 %, and at least 3.
    fn default() -> Self {
        InFlight::of(0.2, 3)
    }
}

impl InFlight {
    /// Extras up to `share` of all attempts in flight, or `floor` if that is more.
    ///
    /// # Errors
    ///
    /// [`BudgetConfigError`] if the share is not from 0 to 0.9, or both it and the floor are 0.
    pub fn new(share: f64, floor: u32) -> Result<Self, BudgetConfigError> {
        if !(0.0..=0.9).contains(&share) {
            return Err(BudgetConfigError::new(
                "share",
                share,
                "0 (the floor alone) to 0.9 of all attempts in flight; at 1 nothing would ever be denied",
            ));
        }
        if parts(share, WHOLE) == 0 && floor == 0 {
            return Err(BudgetConfigError::new(
                "floor",
                floor,
                "at least 1 where the share is 0: otherwise every retry is denied",
            ));
        }
        Ok(InFlight::of(share, floor))
    }

    fn of(share: f64, floor: u32) -> Self {
        InFlight { share, floor, share_parts: parts(share, WHOLE), counts: AtomicU64::new(0) }
    }

    /// The share of all attempts in flight that extras may have.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.share
    }

    /// The extras in flight that are always allowed.
    #[must_use]
    pub fn floor(&self) -> u32 {
        self.floor
    }

    /// First attempts that are in flight now.
    #[must_use]
    pub fn first_attempts(&self) -> u32 {
        self.counts().firsts
    }

    /// What the extras that are in flight now weigh: their number, where each costs 1.
    #[must_use]
    pub fn extras(&self) -> u32 {
        self.counts().extras
    }

    fn counts(&self) -> Counts {
        Counts::unpacked(self.counts.load(Relaxed))
    }

    /// The counts with one more extra; `None` if that is too many.
    fn with_extra(&self, counts: Counts, cost: u32) -> Option<Counts> {
        let extras = counts.extras.checked_add(cost)?;
        let all = u64::from(counts.firsts) + u64::from(extras);
        let within_share = u64::from(extras) * WHOLE <= self.share_parts * all;
        (within_share || extras <= self.floor).then_some(Counts { extras, ..counts })
    }

    fn with(&self, counts: Counts, request: &BudgetRequest<'_>) -> Option<Counts> {
        if request.is_first_attempt() {
            Some(Counts { firsts: counts.firsts.saturating_add(1), ..counts })
        } else {
            self.with_extra(counts, request.cost())
        }
    }

    fn leave(&self, is_first_attempt: bool, cost: u32) {
        // Saturating: an end that is told twice must not make the budget limitless.
        let less = |packed| {
            let mut counts = Counts::unpacked(packed);
            if is_first_attempt {
                counts.firsts = counts.firsts.saturating_sub(1);
            } else {
                counts.extras = counts.extras.saturating_sub(cost);
            }
            Some(counts.packed())
        };
        _ = self.counts.fetch_update(Relaxed, Relaxed, less);
    }
}

/// What is in flight.
#[derive(Clone, Copy)]
struct Counts {
    firsts: u32,
    /// By weight.
    extras: u32,
}

impl Counts {
    fn packed(self) -> u64 {
        u64::from(self.firsts) << 32 | u64::from(self.extras)
    }

    fn unpacked(word: u64) -> Self {
        Counts { firsts: (word >> 32) as u32, extras: word as u32 }
    }
}

impl Budget for InFlight {
    fn allow_attempt(&self, request: &BudgetRequest<'_>) -> Decision {
        let with = |packed| self.with(Counts::unpacked(packed), request).map(Counts::packed);
        match self.counts.fetch_update(Relaxed, Relaxed, with) {
            Ok(_) => Decision::allow(),
            Err(_) => Decision::deny(DENIED),
        }
    }

    fn would_deny(&self, request: &BudgetRequest<'_>) -> Option<Label> {
        self.with(self.counts(), request).is_none().then_some(DENIED)
    }

    fn refund(&self, request: &BudgetRequest<'_>) {
        self.leave(request.is_first_attempt(), request.cost());
    }

    fn on_outcome(&self, end: &AttemptEnd<'_>) {
        self.leave(end.is_first_attempt(), end.cost);
    }

    fn is_fed_by_first_attempts(&self) -> bool {
        true
    }
}

impl fmt::Debug for InFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InFlight")
            .field("share", &self.share)
            .field("floor", &self.floor)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use recourse_core::{AttemptKind, Ending, Key, Moment, Now, Outcome};

    static KEY: Key = Key::from_static("svc.op");

    fn request(attempt: u32, kind: AttemptKind) -> BudgetRequest<'static> {
        BudgetRequest::new(&KEY, attempt, kind, Now::at(Moment::ZERO))
    }

    fn starts(budget: &InFlight, request: &BudgetRequest<'_>) -> bool {
        let would_deny = budget.would_deny(request);
        let decision = budget.allow_attempt(request);
        assert_eq!(would_deny.is_none(), decision.allowed);
        assert!(decision.release.is_none());
        decision.allowed
    }

    fn first(budget: &InFlight) {
        assert!(starts(budget, &request(0, AttemptKind::Retry)));
    }

    fn retry(budget: &InFlight) -> bool {
        starts(budget, &request(1, AttemptKind::Retry))
    }

    fn ends(budget: &InFlight, attempt: u32, kind: AttemptKind, cost: u32) {
        let (outcome, now) = (Outcome::abort(""), Now::at(Moment::ZERO));
        let end = AttemptEnd::new(&KEY, attempt, kind, Ending::Cancelled, &outcome, &now);
        budget.on_outcome(&end.with_cost(cost));
    }

    #[test]
    fn extras_are_a_share_of_all_in_flight() {
        for (share, firsts, most) in [(0.2, 4, 1), (0.2, 40, 10), (0.2, 39, 9), (0.5, 7, 7), (0.9, 1, 9)] {
            let budget = InFlight::new(share, 0).unwrap();
            (0..firsts).for_each(|_| first(&budget));
            assert_eq!((0..100).filter(|_| retry(&budget)).count(), most, "{share} of {firsts}");
            assert_eq!((budget.first_attempts(), budget.extras()), (firsts, most as u32));
        }
    }

    #[test]
    fn the_floor_is_always_there() {
        let budget = InFlight::default();
        assert_eq!((0..10).filter(|_| retry(&budget)).count(), 3);
        (0..12).for_each(|_| first(&budget));
        assert!(!retry(&budget), "4 of 16 are more than a fifth");
        first(&budget);
        first(&budget);
        first(&budget);
        assert!(!retry(&budget));
        first(&budget);
        assert!(retry(&budget), "4 of 20 are a fifth");
    }

    #[test]
    fn an_attempt_leaves_when_it_ends_or_was_never_sent() {
        let budget = InFlight::new(0.0, 2).unwrap();
        let hedge = request(0, AttemptKind::Hedge);
        assert!(starts(&budget, &hedge) && retry(&budget) && !retry(&budget));
        ends(&budget, 0, AttemptKind::Hedge, 1);
        assert!(retry(&budget) && !retry(&budget));
        budget.refund(&request(1, AttemptKind::Retry));
        assert!(retry(&budget));
        first(&budget);
        ends(&budget, 0, AttemptKind::Retry, 1);
        assert_eq!(budget.first_attempts(), 0);
        first(&budget);
        budget.refund(&request(0, AttemptKind::Retry));
        assert_eq!((budget.first_attempts(), budget.extras()), (0, 2));
    }

    #[test]
    fn costs_weigh_and_never_overflow() {
        let budget = InFlight::new(0.5, u32::MAX).unwrap();
        let costly = |cost| request(1, AttemptKind::Retry).with_cost(cost);
        assert!(starts(&budget, &costly(u32::MAX)));
        assert!(!starts(&budget, &costly(1)));
        ends(&budget, 1, AttemptKind::Retry, u32::MAX);
        assert!(starts(&budget, &costly(7)));
        assert_eq!(budget.extras(), 7);
        let share = InFlight::new(0.5, 0).unwrap();
        (0..4).for_each(|_| first(&share));
        assert!(!starts(&share, &costly(5)) && starts(&share, &costly(4)) && !starts(&share, &costly(1)));
    }

    #[test]
    fn an_end_that_is_told_twice_opens_nothing() {
        let budget = InFlight::new(0.5, 0).unwrap();
        ends(&budget, 0, AttemptKind::Retry, 1);
        ends(&budget, 1, AttemptKind::Retry, u32::MAX);
        assert!(!retry(&budget));
    }

    #[test]
    fn bad_numbers_are_refused_by_name() {
        for bad in [-0.1, 0.91, 1.0, f64::NAN, f64::INFINITY] {
            let error = InFlight::new(bad, 3).unwrap_err();
            assert_eq!((error.field, error.value), ("share", bad.to_string()));
        }
        assert_eq!(InFlight::new(0.0, 0).unwrap_err().field, "floor");
        assert!(InFlight::default().wants_outcomes());
    }
}
