//! [`Quota`]: a stock of tokens that successes refill.

use crate::atomic::{AtomicU64, Ordering::Relaxed};
use crate::codes::DENIED;
use crate::error::BudgetConfigError;
use recourse_core::{AttemptEnd, Budget, BudgetRequest, Decision, Label, OutcomeKind};
use std::fmt;

/// The retry quota of the AWS SDKs' standard mode (*Retry behavior*, AWS SDKs and Tools Reference Guide).
///
/// It starts full. A retry or hedge takes its price or is denied whole with `budget_denied`; one that succeeds gives
/// the price back, and a call that succeeds at the first try adds a token. So retries that help are free, retries that
/// don't help use the stock up, and it comes back with successes, not with time: after an outage the load stays down
/// until the service answers.
///
/// | | default |
/// |---|---|
/// | capacity | 500 tokens |
/// | price of a retry or hedge | 5 |
/// | price of a retry after a timeout | 10 |
/// | a first try that succeeds adds | 1 |
///
/// Prices are multiplied by the policy's cost. First attempts are neither charged nor denied. It never reads the clock,
/// and a decision is one compare-and-exchange.
///
/// # What a timeout costs
///
/// Nothing by itself: the retry after it costs more. What that is was taken when it asked, and is what it gives back if
/// it succeeds. A hedge costs what a retry does. Whether a retry [follows a timeout](BudgetRequest::after_timeout) is
/// what the executor says of it, when it asks and when it ends.
///
/// A hedge or retry that was superseded or cancelled, or whose operation panicked, was sent: its price stays spent. One
/// that was allowed and never sent gets its price back.
///
/// ```
/// use recourse_budget::Quota;
/// use recourse_core::{AttemptEnd, AttemptKind, Budget, BudgetRequest, Ending, Key, Moment, Now, Outcome};
///
/// let quota = Quota::default();
/// let (key, now) = (Key::from_static("payments.Charge"), Now::at(Moment::ZERO));
/// let retry = BudgetRequest::new(&key, 1, AttemptKind::Retry, Now::at(Moment::ZERO));
/// assert!(quota.allow_attempt(&retry).allowed);
/// assert_eq!(quota.tokens(), 495);
///
/// let success = Outcome::success();
/// quota.on_outcome(&AttemptEnd::new(&key, 1, AttemptKind::Retry, Ending::Won, &success, &now));
/// assert_eq!(quota.tokens(), 500);
/// ```
pub struct Quota {
    capacity: u32,
    retry_price: u32,
    timeout_price: u32,
    first_try_reward: u32,
    tokens: AtomicU64,
}

impl Default for Quota {
    /// The SDKs' numbers.
    fn default() -> Self {
        Quota::of(500, 5, 10, 1)
    }
}

impl Quota {
    /// A full quota. See [`Quota::default`] for the SDKs' numbers.
    ///
    /// # Errors
    ///
    /// [`BudgetConfigError`] if the retry's price is 0 or above the capacity, or the price of a retry after a timeout
    /// is less than the retry's or above the capacity.
    ///
    /// ```
    /// use recourse_budget::Quota;
    ///
    /// let quota = Quota::new(100, 5, 10)?;
    /// assert_eq!(Quota::new(100, 5, 4).unwrap_err().field, "timeout_price");
    /// # Ok::<(), recourse_budget::BudgetConfigError>(())
    /// ```
    pub fn new(capacity: u32, retry_price: u32, timeout_price: u32) -> Result<Self, BudgetConfigError> {
        if capacity == 0 {
            return Err(BudgetConfigError::new(
                "capacity",
                capacity,
                "at least 1 token, and the price of a retry",
            ));
        }
        if !(1..=capacity).contains(&retry_price) {
            return Err(BudgetConfigError::new("retry_price", retry_price, "1 token to the capacity"));
        }
        if !(retry_price..=capacity).contains(&timeout_price) {
            return Err(BudgetConfigError::new(
                "timeout_price",
                timeout_price,
                "the price of a retry (then a timeout costs no more) to the capacity",
            ));
        }
        Ok(Quota::of(capacity, retry_price, timeout_price, 1))
    }

    fn of(capacity: u32, retry_price: u32, timeout_price: u32, first_try_reward: u32) -> Self {
        let tokens = AtomicU64::new(capacity.into());
        Quota { capacity, retry_price, timeout_price, first_try_reward, tokens }
    }

    /// Sets what a first try that succeeds adds; with 0 only retries that succeed give anything back.
    #[must_use]
    pub fn with_first_try_reward(self, tokens: u32) -> Self {
        Quota::of(self.capacity, self.retry_price, self.timeout_price, tokens)
    }

    /// Tokens at the start, and at most.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Tokens that there are now.
    #[must_use]
    pub fn tokens(&self) -> u32 {
        u32::try_from(self.tokens.load(Relaxed)).unwrap_or(u32::MAX)
    }

    /// The price of an extra at this cost; `None` if it is more than the quota can hold.
    fn price(&self, cost: u32, after_timeout: bool) -> Option<u64> {
        let one = if after_timeout { self.timeout_price } else { self.retry_price };
        let price = u64::from(one) * u64::from(cost);
        (price <= u64::from(self.capacity)).then_some(price)
    }

    fn price_of(&self, request: &BudgetRequest<'_>) -> Option<u64> {
        self.price(request.cost(), request.after_timeout())
    }

    /// Adds so many tokens, up to the capacity. Stores nothing where it is full, so that threads whose calls succeed
    /// don't fight for the word.
    fn add(&self, more: u64) {
        _ = self.tokens.fetch_update(Relaxed, Relaxed, |tokens| {
            let after = tokens.saturating_add(more).min(self.capacity.into());
            (after != tokens).then_some(after)
        });
    }
}

impl Budget for Quota {
    fn allow_attempt(&self, request: &BudgetRequest<'_>) -> Decision {
        let allowed = request.is_first_attempt()
            || self.price_of(request).is_some_and(|price| {
                let less = |tokens: u64| tokens.checked_sub(price);
                self.tokens.fetch_update(Relaxed, Relaxed, less).is_ok()
            });
        if allowed { Decision::allow() } else { Decision::deny(DENIED) }
    }

    fn would_deny(&self, request: &BudgetRequest<'_>) -> Option<Label> {
        let allowed = request.is_first_attempt()
            || self.price_of(request).is_some_and(|price| price <= self.tokens.load(Relaxed));
        (!allowed).then_some(DENIED)
    }

    fn refund(&self, request: &BudgetRequest<'_>) {
        if let Some(price) = self.price_of(request).filter(|_| !request.is_first_attempt()) {
            self.add(price);
        }
    }

    fn on_outcome(&self, end: &AttemptEnd<'_>) {
        if end.outcome.kind == OutcomeKind::Success {
            self.add(match end.is_first_attempt() {
                true => self.first_try_reward.into(),
                false => self.price(end.cost, end.after_timeout).unwrap_or(0),
            });
        }
    }

    fn wants_first_attempts(&self) -> bool {
        false
    }

    fn is_fed_by_first_attempts(&self) -> bool {
        true
    }
}

impl fmt::Debug for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quota")
            .field("capacity", &self.capacity)
            .field("retry_price", &self.retry_price)
            .field("timeout_price", &self.timeout_price)
            .field("first_try_reward", &self.first_try_reward)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use recourse_core::{AttemptKind, Ending, Key, Moment, Now, Outcome, reason};

    static KEY: Key = Key::from_static("svc.op");

    fn retry() -> BudgetRequest<'static> {
        BudgetRequest::new(&KEY, 1, AttemptKind::Retry, Now::at(Moment::ZERO))
    }

    fn allows(quota: &Quota, request: &BudgetRequest<'_>) -> bool {
        let would_deny = quota.would_deny(request);
        let decision = quota.allow_attempt(request);
        assert_eq!(would_deny.is_none(), decision.allowed);
        decision.allowed
    }

    fn ends(quota: &Quota, attempt: u32, kind: AttemptKind, ending: Ending, outcome: &Outcome) {
        quota.on_outcome(&AttemptEnd::new(&KEY, attempt, kind, ending, outcome, &Now::at(Moment::ZERO)));
    }

    fn first(quota: &Quota, ending: Ending, outcome: &Outcome) {
        ends(quota, 0, AttemptKind::Retry, ending, outcome);
    }

    fn second(quota: &Quota, ending: Ending, outcome: &Outcome) {
        ends(quota, 1, AttemptKind::Retry, ending, outcome);
    }

    #[test]
    fn it_is_worth_a_hundred_retries_that_fail() {
        let quota = Quota::default();
        for _ in 0..100 {
            assert!(allows(&quota, &retry()));
            second(&quota, Ending::Failed, &Outcome::retryable(""));
        }
        assert_eq!(quota.tokens(), 0);
        assert!(!allows(&quota, &retry()));
        assert!(allows(&quota, &BudgetRequest::new(&KEY, 0, AttemptKind::Retry, Now::at(Moment::ZERO))));
        assert!(!allows(&quota, &BudgetRequest::new(&KEY, 0, AttemptKind::Hedge, Now::at(Moment::ZERO))));
        for _ in 0..4 {
            first(&quota, Ending::Won, &Outcome::success());
            assert!(!allows(&quota, &retry()));
        }
        first(&quota, Ending::Won, &Outcome::success());
        assert!(allows(&quota, &retry()));
    }

    /// A retry of a timeout has ended.
    fn second_after_timeout(quota: &Quota, ending: Ending, outcome: &Outcome) {
        let now = Now::at(Moment::ZERO);
        let end = AttemptEnd::new(&KEY, 1, AttemptKind::Retry, ending, outcome, &now);
        quota.on_outcome(&end.with_after_timeout(true));
    }

    #[test]
    fn the_retry_of_a_timeout_costs_twice_as_much_and_nothing_if_it_succeeds() {
        let timeout = Outcome::retryable(reason::CONTEXT_DEADLINE_EXCEEDED);
        let quota = Quota::default();
        first(&quota, Ending::TimedOut, &timeout);
        assert_eq!(quota.tokens(), 500, "nobody has retried it");
        assert!(allows(&quota, &retry().with_after_timeout(true)));
        assert_eq!(quota.tokens(), 490);
        second_after_timeout(&quota, Ending::Won, &Outcome::success());
        assert_eq!(quota.tokens(), 500);

        assert!(allows(&quota, &retry().with_after_timeout(true)));
        second_after_timeout(&quota, Ending::TimedOut, &timeout);
        assert_eq!(quota.tokens(), 490);
        // Another call's retry gives its own price back, and no more.
        assert!(allows(&quota, &retry()));
        second(&quota, Ending::Won, &Outcome::success());
        assert_eq!(quota.tokens(), 490);
    }

    #[test]
    fn the_retry_of_a_timeout_needs_its_whole_price() {
        let quota = Quota::new(9, 5, 10).unwrap_err();
        assert_eq!(quota.field, "timeout_price");
        let quota = Quota::new(14, 5, 10).unwrap();
        assert!(allows(&quota, &retry()));
        assert!(!allows(&quota, &retry().with_after_timeout(true)));
        assert_eq!(quota.tokens(), 9);
        assert!(allows(&quota, &retry()));
        quota.refund(&retry());
        quota.refund(&retry().with_after_timeout(true));
        assert_eq!(quota.tokens(), 14);
    }

    #[test]
    fn what_was_sent_in_vain_stays_paid() {
        let quota = Quota::default();
        let hedge = BudgetRequest::new(&KEY, 0, AttemptKind::Hedge, Now::at(Moment::ZERO));
        assert!(allows(&quota, &hedge));
        let dropped = Outcome::abort(reason::CONTEXT_CANCELED);
        ends(&quota, 0, AttemptKind::Hedge, Ending::Superseded, &dropped);
        assert_eq!(quota.tokens(), 495);
        first(&quota, Ending::TimedOut, &Outcome::abort(reason::OVERALL_TIMEOUT));
        assert_eq!(quota.tokens(), 495);
    }

    #[test]
    fn costs_multiply_and_never_overflow() {
        let quota = Quota::default();
        assert!(allows(&quota, &retry().with_cost(100)));
        assert_eq!(quota.tokens(), 0);
        quota.refund(&retry().with_cost(100));
        assert_eq!(quota.tokens(), 500);
        for cost in [101, u32::MAX / 5, u32::MAX / 5 + 1, u32::MAX] {
            assert!(!allows(&quota, &retry().with_cost(cost)));
            quota.refund(&retry().with_cost(cost));
        }
        assert!(!allows(&quota, &retry().with_cost(51).with_after_timeout(true)));
        assert!(allows(&quota, &retry().with_cost(50).with_after_timeout(true)));
        let (success, now) = (Outcome::success(), Now::at(Moment::ZERO));
        let end = AttemptEnd::new(&KEY, 1, AttemptKind::Retry, Ending::Won, &success, &now);
        quota.on_outcome(&end.with_cost(u32::MAX));
        assert_eq!(quota.tokens(), 0, "no attempt at this cost was allowed");
        let largest = Quota::new(u32::MAX, u32::MAX, u32::MAX).unwrap().with_first_try_reward(u32::MAX);
        assert!(allows(&largest, &retry()));
        first(&largest, Ending::Won, &Outcome::success());
        second(&largest, Ending::Won, &Outcome::success());
        assert_eq!(largest.tokens(), u32::MAX);
    }

    #[test]
    fn there_are_never_more_than_fit() {
        let quota = Quota::default();
        first(&quota, Ending::Won, &Outcome::success());
        assert_eq!(quota.tokens(), 500);
        assert!(quota.wants_outcomes());
    }

    #[test]
    fn bad_numbers_are_refused_by_name() {
        for (capacity, retry, timeout, field, value) in [
            (0, 1, 1, "capacity", "0"),
            (10, 0, 1, "retry_price", "0"),
            (10, 11, 11, "retry_price", "11"),
            (10, 5, 4, "timeout_price", "4"),
            (10, 5, 11, "timeout_price", "11"),
        ] {
            let error = Quota::new(capacity, retry, timeout).unwrap_err();
            assert_eq!((error.field, error.value.as_str()), (field, value));
        }
    }
}
