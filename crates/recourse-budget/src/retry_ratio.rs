//! [`RetryRatio`]: so many extra attempts for each call.

use crate::codes::DENIED;
use crate::credit::{Credit, EXTRA};
use crate::decimal::parts;
use crate::error::BudgetConfigError;
use crate::flow::Flow;
use crate::refill::Refill;
use recourse_core::{Budget, BudgetRequest, Decision, Label, Moment};
use std::fmt;
use std::time::Duration;

/// Extras (retries and hedges) as a share of first attempts: the retry budget of Finagle, Linkerd and tower, counted
/// exactly.
///
/// Each first attempt pays in 1, and an extra draws `cost / ratio`, or is denied whole with `budget_denied`. What isn't
/// drawn within the [ttl](Self::ttl) expires. At every moment, and across all threads,
///
/// > extras <= initial + ratio x first attempts + reserve x time
///
/// where an extra counts its cost, a first attempt counts once, whatever it costs, and time is what has passed since
/// the budget was first used. So when everything fails, the
/// load stays at 1 + ratio times, however many attempts the policies allow. First attempts are never denied.
///
/// # What it does in a storm
///
/// It is fed by requests, not by successes, so it bounds a storm and doesn't end one: while everything fails it goes on
/// paying for `ratio` more. A service that needs less than its usual load to recover stays down unless
/// `ratio < capacity / load - 1` (Huang et al., *Metastable Failures in the Wild*, OSDI 2022). Budgets that are fed by
/// successes ([`Throttle`](crate::Throttle), [`Quota`](crate::Quota)) drain instead; join both with
/// [`AllOf`](crate::AllOf).
///
/// # The reserve
///
/// There is none by default. Finagle and Linkerd grant ten retries a second whatever the traffic, so that clients with few calls
/// can retry at all; for a client that makes ten requests a second that is twice the load, as if there were no budget.
/// Keep it a small part of the traffic.
///
/// It starts with nothing in hand, and comes in from the budget's first use on. Theirs start with a ttl's worth:
/// [`with_initial`](Self::with_initial) grants that where it is wanted.
///
/// # How it counts
///
/// In billionths of an extra, in whole numbers: 0.6 is six tenths, to nine places. A decision is one
/// compare-and-exchange, a payment one addition. Payments mostly read no clock: it is read a few times in each tenth of
/// the ttl, and payments in between are taken to have come evenly. So a payment is good for the ttl and a tenth more at
/// most, give or take one payment in 32; the bound above doesn't depend on it.
///
/// A clock that goes backwards adds nothing. One that reads more than the ttl before the latest moment was
/// [set back](crate#a-clock-that-jumps): the credit stays, and is good for a ttl from there; the reserve stays, and comes
/// in from there. The time of the bound is then all that the clock has gone forward.
///
/// An extra that was allowed and never sent gets its cost back. A first attempt that was never sent loses its payment; if
/// that is spent already, the next payments settle the debt before they pay for anything. Where there is a reserve it
/// pays for an extra that the credit can't pay alone; what is given back becomes credit.
///
/// ```
/// use recourse_budget::RetryRatio;
/// use recourse_core::{AttemptKind, Budget, BudgetRequest, Key, Moment, Now};
///
/// let budget = RetryRatio::new(0.6)?;
/// let key = Key::from_static("payments.Charge");
/// let ask = |index| {
///     let now = Now::at(Moment::ZERO);
///     budget.allow_attempt(&BudgetRequest::new(&key, index, AttemptKind::Retry, now)).allowed
/// };
///
/// let first_attempts = (0..5).filter(|_| ask(0)).count();
/// let retries = (0..5).filter(|_| ask(1)).count();
/// assert_eq!((first_attempts, retries), (5, 3));
/// # Ok::<(), recourse_budget::BudgetConfigError>(())
/// ```
pub struct RetryRatio {
    ratio: f64,
    reserve_per_second: f64,
    ttl: Duration,
    initial: u32,
    credit: Credit,
    reserve: Option<Flow>,
}

impl RetryRatio {
    /// How long a payment is good for, unless it is [set](Self::with_ttl): 10 s, as in Finagle.
    pub const DEFAULT_TTL: Duration = Duration::from_secs(10);

    /// `ratio` extras for each first attempt; a tenth is what the Google SRE book (chapter 21) advises.
    ///
    /// # Errors
    ///
    /// [`BudgetConfigError`] if the ratio is not from 0.001 to 10.
    pub fn new(ratio: f64) -> Result<Self, BudgetConfigError> {
        if !(0.001..=10.0).contains(&ratio) {
            return Err(BudgetConfigError::new(
                "ratio",
                ratio,
                "0.001 to 10 extra attempts for each first one; 0.1 is usual",
            ));
        }
        Ok(RetryRatio::of(ratio, 0.0, RetryRatio::DEFAULT_TTL, 0))
    }

    fn of(ratio: f64, reserve_per_second: f64, ttl: Duration, initial: u32) -> Self {
        let reserve = (reserve_per_second > 0.0).then(|| {
            // Room for what comes within a ttl, and for a whole extra.
            let room = (reserve_per_second * ttl.as_secs_f64()).ceil().max(1.0);
            Flow::empty(Refill::new(room as u32, reserve_per_second))
        });
        let credit = Credit::new(parts(ratio, EXTRA), initial, ttl);
        RetryRatio { ratio, reserve_per_second, ttl, initial, credit, reserve }
    }

    /// Adds extras that need no first attempts: so many a second, counted from the first attempt that the budget is
    /// asked about, whatever the clock reads then. At most a ttl's worth gathers, and at least room for one. See
    /// [above](Self#the-reserve) before you use it.
    ///
    /// # Errors
    ///
    /// [`BudgetConfigError`] if the reserve is not from 0 to 1,000,000 a second.
    ///
    /// ```
    /// use recourse_budget::RetryRatio;
    ///
    /// let budget = RetryRatio::new(0.1)?.with_reserve(0.5)?; // one in two seconds
    /// assert_eq!(RetryRatio::new(0.1)?.with_reserve(-1.0).unwrap_err().field, "reserve_per_second");
    /// # Ok::<(), recourse_budget::BudgetConfigError>(())
    /// ```
    pub fn with_reserve(self, per_second: f64) -> Result<Self, BudgetConfigError> {
        if !(0.0..=1e6).contains(&per_second) {
            return Err(BudgetConfigError::new(
                "reserve_per_second",
                per_second,
                "0 (none) to 1,000,000 extra attempts a second",
            ));
        }
        Ok(RetryRatio::of(self.ratio, per_second, self.ttl, self.initial))
    }

    /// Sets how long a payment is good for.
    ///
    /// # Errors
    ///
    /// [`BudgetConfigError`] if the ttl is not from 1 s to 1 h.
    pub fn with_ttl(self, ttl: Duration) -> Result<Self, BudgetConfigError> {
        if !(Duration::from_secs(1)..=Duration::from_secs(3600)).contains(&ttl) {
            return Err(BudgetConfigError::new("ttl", format_args!("{ttl:?}"), "1 s to 1 h; 10 s is usual"));
        }
        Ok(RetryRatio::of(self.ratio, self.reserve_per_second, ttl, self.initial))
    }

    /// Adds so many extras at the start, before there are first attempts to pay for them. They expire like payments,
    /// counted from the first time that the budget reads the clock. None by default.
    #[must_use]
    pub fn with_initial(self, extras: u32) -> Self {
        RetryRatio::of(self.ratio, self.reserve_per_second, self.ttl, extras)
    }

    /// Extras for each first attempt.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.ratio
    }

    /// Extras a second that need no first attempts.
    #[must_use]
    pub fn reserve_per_second(&self) -> f64 {
        self.reserve_per_second
    }

    /// How long a payment is good for.
    #[must_use]
    pub fn ttl(&self) -> Duration {
        self.ttl
    }

    /// Extras at the start.
    #[must_use]
    pub fn initial(&self) -> u32 {
        self.initial
    }

    /// Whole extras of cost 1 that would be allowed at `now`, on the clock of the executor that uses it. Takes nothing.
    #[must_use]
    pub fn available(&self, now: Moment) -> u64 {
        self.credit.level(now) / EXTRA + self.reserve.as_ref().map_or(0, |reserve| reserve.tokens(now))
    }

    /// The reserve comes in from the first use on, also while it isn't needed.
    fn start_reserve(&self, request: &BudgetRequest<'_>) {
        if let Some(reserve) = &self.reserve {
            reserve.start(request.now());
        }
    }
}

impl Budget for RetryRatio {
    fn allow_attempt(&self, request: &BudgetRequest<'_>) -> Decision {
        if request.is_first_attempt() {
            if self.credit.pay_in(request) {
                self.start_reserve(request);
            }
            return Decision::allow();
        }
        if self.reserve.is_some() && self.credit.is_due(request.now()) {
            self.start_reserve(request);
        }
        let allowed =
            self.credit.draw(request) || self.reserve.as_ref().is_some_and(|reserve| reserve.take(request));
        if allowed { Decision::allow() } else { Decision::deny(DENIED) }
    }

    fn would_deny(&self, request: &BudgetRequest<'_>) -> Option<Label> {
        let allowed = request.is_first_attempt()
            || self.credit.covers(request)
            || self.reserve.as_ref().is_some_and(|reserve| reserve.covers(request));
        (!allowed).then_some(DENIED)
    }

    fn refund(&self, request: &BudgetRequest<'_>) {
        if request.is_first_attempt() {
            self.credit.take_payment_back();
        } else {
            self.credit.give_back(request);
        }
    }

    fn wants_outcomes(&self) -> bool {
        false
    }

    fn is_fed_by_first_attempts(&self) -> bool {
        true
    }
}

impl fmt::Debug for RetryRatio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryRatio")
            .field("ratio", &self.ratio)
            .field("reserve_per_second", &self.reserve_per_second)
            .field("ttl", &self.ttl)
            .field("initial", &self.initial)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use recourse_core::{AttemptKind, Clock, Key, Now};
    use std::sync::atomic::{AtomicU64, Ordering};

    static KEY: Key = Key::from_static("svc.op");
    const SECOND: u64 = 1_000_000_000;

    fn at(nanos: u64) -> Moment {
        Moment::from_nanos(nanos)
    }

    fn request(attempt: u32, nanos: u64) -> BudgetRequest<'static> {
        BudgetRequest::new(&KEY, attempt, AttemptKind::Retry, Now::at(at(nanos)))
    }

    fn first(budget: &RetryRatio, nanos: u64) {
        assert!(budget.allow_attempt(&request(0, nanos)).allowed);
    }

    fn extra(budget: &RetryRatio, nanos: u64) -> bool {
        let request = request(1, nanos);
        let would_deny = budget.would_deny(&request);
        let decision = budget.allow_attempt(&request);
        assert_eq!(would_deny.is_none(), decision.allowed, "the peek and the decision differ");
        decision.allowed
    }

    fn ratio(ratio: f64) -> RetryRatio {
        RetryRatio::new(ratio).unwrap()
    }

    #[test]
    fn ratios_mean_what_they_say() {
        for (numerator, denominator) in [(1, 1000), (1, 10), (1, 5), (3, 5), (7, 8), (1, 1), (3, 2), (10, 1)]
        {
            let budget = ratio(f64::from(numerator) / f64::from(denominator));
            let mut extras = 0;
            for firsts in 1..=3_000 {
                first(&budget, 0);
                while extra(&budget, 0) {
                    extras += 1;
                }
                assert_eq!(extras, firsts * numerator / denominator, "{budget:?} after {firsts}");
            }
        }
    }

    #[test]
    fn every_tenth_of_a_percent_is_exact() {
        for thousandths in 1..=10_000u32 {
            let budget = ratio(f64::from(thousandths) / 1e3);
            (0..1000).for_each(|_| first(&budget, 0));
            assert_eq!(budget.available(at(0)), u64::from(thousandths));
            let all = || request(1, 0).with_cost(thousandths);
            assert!(budget.would_deny(&request(1, 0).with_cost(thousandths + 1)).is_some());
            assert!(budget.allow_attempt(&all()).allowed);
            assert!(!budget.allow_attempt(&request(1, 0)).allowed);
        }
    }

    #[test]
    fn a_ratio_that_is_no_decimal_is_never_exceeded() {
        let budget = ratio(2.0 / 3.0);
        (0..300).for_each(|_| first(&budget, 0));
        assert_eq!((0..300).filter(|_| extra(&budget, 0)).count(), 199);
        let budget = ratio(0.999_999_999);
        first(&budget, 0);
        assert!(!extra(&budget, 0));
    }

    #[test]
    fn payments_are_good_for_the_ttl_and_a_tenth_more_at_most() {
        for start in [0, 1, SECOND - 1, 3 * SECOND / 2, 86_400 * SECOND] {
            let budget = ratio(1.0);
            first(&budget, start);
            first(&budget, start + 5 * SECOND);
            for good in [start + 5 * SECOND, start + 10 * SECOND - 1, start] {
                assert_eq!(budget.available(at(good)), 2, "{start} {good}");
            }
            for (nanos, left) in [(11, 1), (14, 1), (16, 0), (1_000_000, 0)] {
                assert_eq!(budget.available(at(start + nanos * SECOND)), left, "{start} {nanos}");
            }
            assert!(extra(&budget, start + 14 * SECOND));
            assert!(!extra(&budget, start + 14 * SECOND));
            assert!(!extra(&budget, u64::MAX));
        }
    }

    #[test]
    fn what_was_drawn_is_the_oldest() {
        let budget = ratio(1.0);
        first(&budget, 0);
        first(&budget, 9 * SECOND);
        assert!(extra(&budget, 9 * SECOND));
        assert_eq!(budget.available(at(12 * SECOND)), 1);
    }

    #[test]
    fn steady_traffic_gathers_a_ttl_of_credit_whatever_its_rate() {
        for per_second in [1, 3, 10, 1_000, 50_000] {
            let budget = ratio(1.0);
            let step = SECOND / per_second;
            let calls = 40 * per_second;
            (0..calls).for_each(|call| first(&budget, call * step));
            let (gathered, ttl) = (budget.available(at(calls * step)), 10 * per_second);
            assert!((ttl..=ttl + per_second + per_second / 10 + 1).contains(&gathered), "{gathered} {ttl}");
        }
    }

    #[test]
    fn steady_traffic_seldom_reads_the_clock() {
        struct Ticking(AtomicU64, AtomicU64);
        impl Clock for Ticking {
            fn now(&self) -> Moment {
                self.1.fetch_add(1, Ordering::Relaxed);
                at(self.0.load(Ordering::Relaxed))
            }
        }
        let (budget, clock) = (ratio(0.1), Ticking(AtomicU64::new(0), AtomicU64::new(0)));
        let reads_in = |calls: u64| {
            clock.1.store(0, Ordering::Relaxed);
            for _ in 0..calls {
                clock.0.fetch_add(20_000, Ordering::Relaxed);
                let request = BudgetRequest::new(&KEY, 0, AttemptKind::Retry, Now::of(&clock));
                assert!(budget.allow_attempt(&request).allowed);
            }
            clock.1.load(Ordering::Relaxed)
        };
        let (warming_up, then) = (reads_in(1_000_000), reads_in(1_000_000));
        assert!(warming_up <= 500, "{warming_up}");
        // 20 s are 20 slots.
        assert!((20..=100).contains(&then), "{then}");
    }

    #[test]
    fn credit_of_long_ago_is_gone_when_traffic_has_ceased() {
        let budget = ratio(1.0);
        // So fast that the clock is read once in many thousand calls.
        (0..1_000_000).for_each(|call| first(&budget, call * 10_000));
        let trickle = (1..=3_600).map(|second| (10 + second) * SECOND);
        trickle.for_each(|nanos| first(&budget, nanos));
        let left = budget.available(at(3_610 * SECOND));
        assert!(left <= 11 + 1, "{left}");
    }

    #[test]
    fn what_is_paid_in_after_a_pause_is_there_also_where_peeks_deny() {
        let budget = ratio(1.0).with_initial(100_000);
        // So much is kept that the clock is seldom read.
        (0..4).for_each(|_| first(&budget, 0));
        let denied = (0..20).filter(|second| {
            let now = (3_600 + second) * SECOND;
            first(&budget, now);
            budget.would_deny(&request(1, now)).is_some()
        });
        assert_eq!(denied.count(), 1);
    }

    #[test]
    fn the_reserve_pays_by_time_alone_and_gathers_for_a_ttl() {
        let budget = ratio(0.1).with_reserve(2.0).unwrap();
        first(&budget, 0);
        assert!(!extra(&budget, SECOND / 2 - 1));
        assert!(extra(&budget, SECOND / 2));
        assert!(!extra(&budget, SECOND / 2));
        assert_eq!(budget.available(at(1_000_000 * SECOND)), 20);
        assert_eq!((0..30).filter(|_| extra(&budget, 1_000_000 * SECOND)).count(), 20);
        let slow = ratio(0.1).with_reserve(0.01).unwrap();
        first(&slow, 0);
        assert_eq!((slow.available(at(99 * SECOND)), slow.available(at(100 * SECOND))), (0, 1));
    }

    #[test]
    fn the_reserve_comes_in_from_the_first_use_on_whatever_the_clock_reads() {
        type Use = fn(&RetryRatio, u64);
        let uses: [Use; 3] = [
            first,
            |budget, start| assert!(!extra(budget, start)),
            |budget, start| assert!(budget.would_deny(&request(1, start)).is_some()),
        ];
        for start in [0, 1, 100 * SECOND, 86_400 * SECOND, u64::MAX - 100 * SECOND] {
            for first_use in uses {
                let budget = ratio(0.001).with_reserve(2.0).unwrap();
                assert_eq!(budget.available(at(start)), 0);
                first_use(&budget, start);
                // To a fraction: some ten nanoseconds.
                for (after, extras) in [(0, 0), (SECOND / 2 - 20, 0), (SECOND / 2, 1), (3 * SECOND, 5)] {
                    let granted = (0..30).filter(|_| extra(&budget, start + after)).count();
                    assert_eq!(granted, extras, "{start} {after}");
                }
            }
        }
    }

    #[test]
    fn the_reserve_comes_in_while_the_credit_pays() {
        for start in [0, 100 * SECOND] {
            let budget = ratio(0.001).with_reserve(1.0).unwrap().with_initial(1);
            assert!(extra(&budget, start));
            assert!(extra(&budget, start + SECOND));
        }
    }

    #[test]
    fn the_initial_credit_is_there_at_the_start_and_expires() {
        for start in [0, 77 * SECOND] {
            let budget = ratio(0.1).with_initial(3);
            assert_eq!(budget.available(at(start)), 3);
            assert!(extra(&budget, start));
            assert_eq!(budget.available(at(start + 9 * SECOND)), 2);
            assert_eq!(budget.available(at(start + 11 * SECOND)), 0);
        }
    }

    #[test]
    fn refunds_restore_what_was_taken() {
        let budget = ratio(0.5);
        (0..4).for_each(|_| first(&budget, 0));
        assert!(extra(&budget, 0) && extra(&budget, 0) && !extra(&budget, 0));
        budget.refund(&request(1, 0));
        assert!(extra(&budget, 0) && !extra(&budget, 0));
        // A first attempt that was never sent leaves a debt where its payment is spent.
        budget.refund(&request(0, 0));
        first(&budget, 0);
        first(&budget, 0);
        assert!(!extra(&budget, 0));
        first(&budget, 0);
        assert!(extra(&budget, 0));
    }

    #[test]
    fn a_clock_that_goes_backwards_adds_nothing_and_takes_nothing() {
        let budget = ratio(1.0).with_reserve(1.0).unwrap();
        let late = 1_000 * SECOND;
        first(&budget, late - 10 * SECOND);
        first(&budget, late);
        assert_eq!(budget.available(at(late)), 12);
        assert!((0..12).all(|_| extra(&budget, late)));
        for nanos in [late - 1, late - 5 * SECOND, late - 10 * SECOND, late] {
            assert!(!extra(&budget, nanos));
        }
        first(&budget, late - 9 * SECOND);
        assert!(extra(&budget, late - 9 * SECOND));
    }

    #[test]
    fn a_clock_that_is_out_of_step_by_the_ttl_changes_nothing() {
        let budget = ratio(1.0);
        let half = SECOND / 2;
        first(&budget, 10 * SECOND + half);
        assert!(!budget.allow_attempt(&request(1, half).with_cost(2)).allowed);
        assert_eq!(budget.available(at(20 * SECOND + half)), 1);
        assert_eq!(budget.available(at(21 * SECOND + half)), 0);
    }

    #[test]
    fn a_clock_that_was_set_back_lets_credit_expire_and_the_reserve_come_in() {
        for (late, back) in [(12, 0), (1_000, 0), (1_000, 300), (10_000_000_000, 77)] {
            for reserve in [0u32, 1] {
                let budget = ratio(1.0).with_reserve(f64::from(reserve)).unwrap();
                let (reserve, at) = (u64::from(reserve), |seconds: u64| at((back + seconds) * SECOND));
                let pays = |seconds: u64| first(&budget, (back + seconds) * SECOND);
                first(&budget, late * SECOND);
                assert_eq!(budget.available(at(0)), 1);
                pays(0);
                assert_eq!(budget.available(at(0)), 2);
                assert_eq!(budget.available(at(9)), 2 + 9 * reserve);
                assert_eq!(budget.available(at(12)), 10 * reserve, "{late}");
                pays(13);
                assert_eq!(budget.available(at(13)), 1 + 10 * reserve);
                assert_eq!(budget.available(at(25)), 10 * reserve);
            }
        }
    }

    #[test]
    fn totals_may_wrap() {
        let budget = ratio(10.0).with_initial(u32::MAX);
        assert!(budget.allow_attempt(&request(1, 0).with_cost(u32::MAX)).allowed);
        // Two and a half times round the word.
        for round in 0..10 {
            let now = round * 3_600 * SECOND;
            budget.credit.skip(1 << 62);
            assert_eq!(budget.available(at(now)), 0);
            first(&budget, now);
            assert_eq!((0..11).filter(|_| extra(&budget, now)).count(), 10, "{round}");
        }
    }

    #[test]
    fn hedges_are_charged_and_costs_weigh() {
        let budget = ratio(1.0);
        (0..3).for_each(|_| first(&budget, 0));
        let hedge = |cost| BudgetRequest::new(&KEY, 0, AttemptKind::Hedge, Now::at(at(0))).with_cost(cost);
        assert!(!budget.allow_attempt(&hedge(4)).allowed);
        assert!(!budget.allow_attempt(&hedge(u32::MAX)).allowed);
        assert!(budget.allow_attempt(&hedge(2)).allowed);
        assert!(!budget.allow_attempt(&hedge(2)).allowed);
        assert!(budget.allow_attempt(&hedge(1)).allowed);
    }

    #[test]
    fn bad_numbers_are_refused_by_name() {
        for bad in [0.0, 0.000_9, 10.1, -1.0, f64::NAN, f64::INFINITY] {
            let error = RetryRatio::new(bad).unwrap_err();
            assert_eq!((error.field, error.value), ("ratio", bad.to_string()));
        }
        for bad in [-0.1, 1_000_001.0, f64::NAN, f64::INFINITY] {
            let error = ratio(0.1).with_reserve(bad).unwrap_err();
            assert_eq!((error.field, error.value), ("reserve_per_second", bad.to_string()));
        }
        for bad in [Duration::ZERO, Duration::from_millis(999), Duration::from_secs(3601), Duration::MAX] {
            let error = ratio(0.1).with_ttl(bad).unwrap_err();
            assert_eq!((error.field, error.value), ("ttl", format!("{bad:?}")));
        }
    }

    #[test]
    fn settings_are_kept_by_each_other() {
        let ttl = Duration::from_secs(60);
        let budget = ratio(0.2).with_reserve(3.0).unwrap().with_initial(5).with_ttl(ttl).unwrap();
        let read = (budget.ratio(), budget.reserve_per_second(), budget.initial(), budget.ttl());
        assert_eq!(read, (0.2, 3.0, 5, ttl));
        assert!(!budget.wants_outcomes());
    }
}
