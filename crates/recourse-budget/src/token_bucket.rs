//! [`TokenBucket`]: so many extra attempts a second, with room for a burst.

use crate::codes::DENIED;
use crate::error::BudgetConfigError;
use crate::flow::Flow;
use crate::refill::{FASTEST, Refill};
use recourse_core::{Budget, BudgetRequest, Decision, Label, Moment};
use std::fmt;

/// A bucket of tokens that an attempt takes its cost from.
///
/// It starts full and refills continuously, up to its capacity. An attempt takes its whole cost or is denied with
/// `budget_denied`; one that costs more than the capacity is always denied. The level never goes below zero.
///
/// A call's first attempt is neither charged nor denied, and does not read the clock, unless the bucket
/// [gates first attempts](TokenBucket::gate_first_attempts). Retries and hedges are charged. Nothing is given back when
/// an attempt ends, however it ends; an attempt that was allowed and then never sent gives its cost back, up to the
/// capacity.
///
/// # Choosing the numbers
///
/// In any stretch of time the bucket adds at most `capacity + refill_per_second x seconds` attempts of cost 1; what is
/// given back in that time comes on top, in place of what was never sent. A refill
/// of a tenth of the usual calls a second keeps the load at 1.1 times when everything fails. Keep it a small part of
/// the traffic: a refill as large as the traffic doubles the load in a storm, as if there were no budget.
///
/// # How it counts
///
/// As in the generic cell rate algorithm (ITU-T I.371) the level is a function of the moment, not something that is
/// topped up step by step; here it is counted in tokens instead of time, so that a rate of zero needs no special case.
/// The state is how much has flowed in and how much has flowed out since the bucket was made, in whole fractions of a
/// token; the level is the difference, at most the capacity. So a hundred small waits add up to one long wait exactly.
/// A token comes in time to the nanosecond, or earlier by the smallest fraction: some ten nanoseconds' worth of refill
/// or a billionth of a token, once, not once an attempt.
///
/// To decide and to take is one compare-and-exchange of one word. A clock that goes backwards adds nothing and takes
/// nothing: the bucket waits until the clock has passed the latest moment that it has seen. If that is more than a full
/// refill ahead, and more than a second, the clock was [set back](crate#a-clock-that-jumps): the bucket keeps its
/// tokens, and refills from there.
///
/// ```
/// use recourse_budget::TokenBucket;
/// use recourse_core::{AttemptKind, Budget, BudgetRequest, Key, Moment, Now};
/// use std::time::Duration;
///
/// let bucket = TokenBucket::new(1, 50.0)?;
/// let key = Key::from_static("payments.Charge");
/// let retry = |now| BudgetRequest::new(&key, 1, AttemptKind::Retry, Now::at(now));
///
/// assert!(bucket.allow_attempt(&retry(Moment::ZERO)).allowed);
/// assert_eq!(bucket.allow_attempt(&retry(Moment::ZERO)).reason, "budget_denied");
/// assert!(bucket.allow_attempt(&retry(Moment::ZERO + Duration::from_millis(20))).allowed);
/// # Ok::<(), recourse_budget::BudgetConfigError>(())
/// ```
pub struct TokenBucket {
    flow: Flow,
    capacity: u32,
    refill_per_second: f64,
    gates_first_attempts: bool,
}

impl TokenBucket {
    /// A full bucket for `capacity` tokens that refills at `refill_per_second` tokens a second; 0.0 never refills.
    ///
    /// # Errors
    ///
    /// [`BudgetConfigError`] if the capacity is 0, or the rate is negative, not a number, infinite, or above 1e9 (a
    /// token a nanosecond, beyond which no clock can count; [`Unlimited`](crate::Unlimited) is the budget without a
    /// limit).
    pub fn new(capacity: u32, refill_per_second: f64) -> Result<Self, BudgetConfigError> {
        if capacity == 0 {
            return Err(BudgetConfigError::new(
                "capacity",
                capacity,
                "at least 1 token: a bucket that holds nothing denies every attempt",
            ));
        }
        if !(0.0..=FASTEST).contains(&refill_per_second) {
            return Err(BudgetConfigError::new(
                "refill_per_second",
                refill_per_second,
                "0 (never refills) to 1e9 tokens a second; for no limit use the budget `Unlimited`",
            ));
        }
        Ok(TokenBucket {
            flow: Flow::full(Refill::new(capacity, refill_per_second)),
            capacity,
            refill_per_second,
            gates_first_attempts: false,
        })
    }

    /// Makes the bucket charge and deny the first attempts of calls too: a rate limit for all that is sent.
    ///
    /// ```
    /// use recourse_budget::TokenBucket;
    /// use recourse_core::{AttemptKind, Budget, BudgetRequest, Key, Moment, Now};
    ///
    /// let bucket = TokenBucket::new(1, 0.0)?.gate_first_attempts();
    /// let key = Key::from_static("svc.op");
    /// let first = BudgetRequest::new(&key, 0, AttemptKind::Retry, Now::at(Moment::ZERO));
    /// assert!(bucket.allow_attempt(&first).allowed);
    /// assert!(!bucket.allow_attempt(&first).allowed);
    /// # Ok::<(), recourse_budget::BudgetConfigError>(())
    /// ```
    #[must_use]
    pub fn gate_first_attempts(mut self) -> Self {
        self.gates_first_attempts = true;
        self
    }

    /// Tokens that the bucket holds at most.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Tokens that flow in a second.
    #[must_use]
    pub fn refill_per_second(&self) -> f64 {
        self.refill_per_second
    }

    /// Whether first attempts are charged and denied as well.
    #[must_use]
    pub fn gates_first_attempts(&self) -> bool {
        self.gates_first_attempts
    }

    /// Whole tokens in the bucket at `now`, on the clock of the executor that uses it. Takes nothing.
    #[must_use]
    pub fn available(&self, now: Moment) -> u64 {
        self.flow.tokens(now)
    }

    fn is_free(&self, request: &BudgetRequest<'_>) -> bool {
        request.is_first_attempt() && !self.gates_first_attempts
    }
}

impl Budget for TokenBucket {
    fn allow_attempt(&self, request: &BudgetRequest<'_>) -> Decision {
        if self.is_free(request) || self.flow.take(request) {
            Decision::allow()
        } else {
            Decision::deny(DENIED)
        }
    }

    fn would_deny(&self, request: &BudgetRequest<'_>) -> Option<Label> {
        (!self.is_free(request) && !self.flow.covers(request)).then_some(DENIED)
    }

    fn refund(&self, request: &BudgetRequest<'_>) {
        if !self.is_free(request) {
            self.flow.give_back(request.cost());
        }
    }

    fn wants_outcomes(&self) -> bool {
        false
    }

    fn wants_first_attempts(&self) -> bool {
        self.gates_first_attempts
    }
}

impl fmt::Debug for TokenBucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenBucket")
            .field("capacity", &self.capacity)
            .field("refill_per_second", &self.refill_per_second)
            .field("gates_first_attempts", &self.gates_first_attempts)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use recourse_core::{AttemptKind, Clock, Key, Now, reason};
    use std::sync::Barrier;
    use std::time::Duration;

    static KEY: Key = Key::from_static("svc.op");

    fn at(nanos: u64) -> Moment {
        Moment::from_nanos(nanos)
    }

    fn retry(now: Moment) -> BudgetRequest<'static> {
        BudgetRequest::new(&KEY, 1, AttemptKind::Retry, Now::at(now))
    }

    fn bucket(capacity: u32, refill_per_second: f64) -> TokenBucket {
        TokenBucket::new(capacity, refill_per_second).unwrap()
    }

    fn grants(bucket: &TokenBucket, request: &BudgetRequest<'_>) -> bool {
        let would_deny = bucket.would_deny(request);
        let decision = bucket.allow_attempt(request);
        assert_eq!(would_deny.is_none(), decision.allowed, "the peek and the decision differ");
        assert_eq!(decision.reason, if decision.allowed { reason::ALLOWED } else { reason::BUDGET_DENIED });
        decision.allowed
    }

    struct NoClock;
    impl Clock for NoClock {
        fn now(&self) -> Moment {
            panic!("the clock was read");
        }
    }

    #[test]
    fn it_starts_full_and_ends_at_zero() {
        let bucket = bucket(3, 0.0);
        for left in (0..3).rev() {
            assert!(grants(&bucket, &retry(at(5))));
            assert_eq!(bucket.available(at(5)), left);
        }
        assert!(!grants(&bucket, &retry(at(u64::MAX))));
        assert_eq!(bucket.available(at(u64::MAX)), 0);
    }

    #[test]
    fn it_refills_up_to_its_capacity_and_not_beyond() {
        let bucket = bucket(2, 10.0);
        assert!(grants(&bucket, &retry(at(0)).with_cost(2)));
        assert_eq!(bucket.available(at(99_999_999)), 0);
        assert_eq!(bucket.available(at(100_000_000)), 1);
        assert_eq!(bucket.available(at(200_000_000)), 2);
        assert_eq!(bucket.available(at(u64::MAX)), 2);
        assert!(grants(&bucket, &retry(at(u64::MAX)).with_cost(2)));
        assert!(!grants(&bucket, &retry(at(u64::MAX))));
    }

    #[test]
    fn a_cost_is_taken_whole_or_not_at_all() {
        let bucket = bucket(5, 0.0);
        assert!(grants(&bucket, &retry(at(0)).with_cost(3)));
        assert!(!grants(&bucket, &retry(at(0)).with_cost(3)));
        assert_eq!(bucket.available(at(0)), 2);
        assert!(grants(&bucket, &retry(at(0)).with_cost(2)));
    }

    #[test]
    fn a_cost_above_the_capacity_is_always_denied_and_reads_no_clock() {
        for capacity in [1, 5, u32::MAX - 1] {
            let bucket = bucket(capacity, 1e9);
            for cost in [capacity + 1, u32::MAX] {
                let request =
                    BudgetRequest::new(&KEY, 1, AttemptKind::Retry, Now::of(&NoClock)).with_cost(cost);
                assert!(!grants(&bucket, &request));
            }
            assert_eq!(bucket.available(at(0)), u64::from(capacity));
        }
    }

    #[test]
    fn the_first_attempt_is_free_and_reads_no_clock() {
        let bucket = bucket(1, 0.0);
        let first = BudgetRequest::new(&KEY, 0, AttemptKind::Retry, Now::of(&NoClock)).with_cost(9);
        assert!(grants(&bucket, &first) && grants(&bucket, &first));
        assert_eq!(bucket.available(at(0)), 1);
    }

    #[test]
    fn the_first_attempt_is_charged_and_denied_when_gated() {
        let bucket = bucket(1, 0.0).gate_first_attempts();
        let first = BudgetRequest::new(&KEY, 0, AttemptKind::Retry, Now::at(at(0)));
        assert!(grants(&bucket, &first));
        assert!(!grants(&bucket, &first));
    }

    #[test]
    fn what_was_never_sent_is_given_back_up_to_the_capacity() {
        let bucket = bucket(5, 1.0);
        assert!(grants(&bucket, &retry(at(0)).with_cost(4)));
        bucket.refund(&retry(at(0)).with_cost(4));
        assert_eq!(bucket.available(at(0)), 5);
        bucket.refund(&retry(at(0)).with_cost(4));
        bucket.refund(&retry(at(0)).with_cost(u32::MAX));
        assert_eq!(bucket.available(at(0)), 5);
        assert!(grants(&bucket, &retry(at(0)).with_cost(3)));
        // Full again by the time the refund comes: there is no room for it.
        assert_eq!(bucket.available(at(3_000_000_000)), 5);
        bucket.refund(&retry(at(3_000_000_000)).with_cost(3));
        assert_eq!(bucket.available(at(3_000_000_000)), 5);
    }

    #[test]
    fn a_first_attempt_that_was_free_gives_nothing_back() {
        let first = BudgetRequest::new(&KEY, 0, AttemptKind::Retry, Now::of(&NoClock));
        for (bucket, left) in [(bucket(2, 0.0), 0), (bucket(2, 0.0).gate_first_attempts(), 1)] {
            assert!(grants(&bucket, &retry(at(0)).with_cost(2)));
            bucket.refund(&first);
            assert_eq!(bucket.available(at(0)), left);
            assert!(!bucket.wants_outcomes());
        }
    }

    #[test]
    fn hedges_are_charged_in_the_first_group_too() {
        let bucket = bucket(1, 0.0);
        let hedge = BudgetRequest::new(&KEY, 0, AttemptKind::Hedge, Now::at(at(0)));
        assert!(grants(&bucket, &hedge));
        assert!(!grants(&bucket, &hedge));
    }

    #[test]
    fn peeking_changes_nothing() {
        let bucket = bucket(1, 1.0);
        for nanos in [0, u64::MAX, 0] {
            assert_eq!(bucket.would_deny(&retry(at(nanos))), None);
        }
        assert!(grants(&bucket, &retry(at(0))));
        for nanos in [u64::MAX, 0] {
            assert_eq!(bucket.would_deny(&retry(at(nanos))).is_some(), nanos == 0, "{nanos}");
            assert_eq!(bucket.available(at(0)), 0);
        }
    }

    #[test]
    fn a_clock_that_goes_backwards_adds_nothing_and_takes_nothing() {
        let bucket = bucket(10, 1.0);
        let second = 1_000_000_000;
        assert!(grants(&bucket, &retry(at(100 * second)).with_cost(6)));
        for nanos in [90 * second, 95 * second, 100 * second, 100 * second - 3, 99 * second, 100 * second] {
            assert_eq!(bucket.available(at(nanos)), 4);
            assert!(!grants(&bucket, &retry(at(nanos)).with_cost(5)));
        }
        assert!(grants(&bucket, &retry(at(90 * second)).with_cost(4)));
        assert_eq!(bucket.available(at(100 * second)), 0);
        assert_eq!(bucket.available(at(101 * second)), 1);
    }

    #[test]
    fn a_clock_that_was_set_back_takes_no_token_and_goes_on_from_there() {
        let second = 1_000_000_000;
        for (late, back) in [(100, 0), (100, 89), (5_000_000_000, 7), (18_000_000_000, 100)] {
            let (bucket, back) = (bucket(10, 1.0), back * second);
            assert!(grants(&bucket, &retry(at(late * second)).with_cost(6)));
            assert_eq!(bucket.available(at(back)), 4);
            assert!(!grants(&bucket, &retry(at(back)).with_cost(5)));
            for (nanos, there) in [(0, 4), (second - 1, 4), (second, 5), (6 * second, 10), (99 * second, 10)]
            {
                assert_eq!(bucket.available(at(back + nanos)), there, "{late} {back} {nanos}");
            }
        }
    }

    #[test]
    fn a_clock_is_set_back_where_it_reads_more_than_a_full_refill_or_a_second_before() {
        let second = 1_000_000_000;
        for (capacity, rate, far) in [(10, 1.0, 10 * second), (1, 1e3, second), (2, 0.5, 4 * second)] {
            let (bucket, late) = (bucket(capacity, rate), 100 * second);
            assert!(grants(&bucket, &retry(at(late)).with_cost(capacity)));
            assert!(!grants(&bucket, &retry(at(late - far))));
            assert!(!grants(&bucket, &retry(at(late))), "a step back added something");
            assert!(!grants(&bucket, &retry(at(late - far - 100))));
            assert!(grants(&bucket, &retry(at(late - far + 2 * second))), "{capacity} {rate}");
        }
    }

    #[test]
    fn who_is_granted_notices_that_the_clock_was_set_back() {
        let second = 1_000_000_000;
        for peeks in [true, false] {
            let bucket = bucket(10, 1.0);
            assert!(grants(&bucket, &retry(at(100 * second)).with_cost(6)));
            match peeks {
                true => assert_eq!(bucket.would_deny(&retry(at(50 * second))), None),
                false => assert!(bucket.allow_attempt(&retry(at(50 * second))).allowed),
            }
            let left = if peeks { 4 } else { 3 };
            for waited in 0..3 {
                assert_eq!(bucket.available(at((50 + waited) * second)), left + waited, "{peeks}");
            }
        }
    }

    #[test]
    fn peeks_alone_notice_that_the_clock_was_set_back() {
        let (bucket, second) = (bucket(1, 1.0), 1_000_000_000);
        assert!(grants(&bucket, &retry(at(1_000_000 * second))));
        assert!(bucket.would_deny(&retry(at(0))).is_some());
        assert!(bucket.would_deny(&retry(at(second - 1))).is_some());
        assert!(bucket.would_deny(&retry(at(second))).is_none());
    }

    #[test]
    fn many_small_steps_refill_exactly_as_much_as_one_large_step() {
        for rate in [1e-3, 0.3, 1.0 / 3.0, 7.0, 33.3, 1e6 / 7.0, 999_999_937.0] {
            for step in [1, 7, 999, 100_003] {
                let (asked_often, asked_once) = (bucket(u32::MAX, rate), bucket(u32::MAX, rate));
                let all = |now| retry(now).with_cost(u32::MAX);
                assert!(grants(&asked_often, &all(at(0))) && grants(&asked_once, &all(at(0))));
                for steps in 1..=10_000 {
                    assert!(!grants(&asked_often, &all(at(steps * step))));
                }
                let end = at(10_000 * step);
                assert_eq!(asked_often.available(end), asked_once.available(end));
                assert_eq!(asked_often.flow.level(end), asked_once.flow.level(end));
            }
        }
    }

    #[test]
    fn tokens_taken_as_they_come_are_exactly_the_rate() {
        for (rate, period) in [(50.0, 20_000_000), (1.0, 1_000_000_000), (1e3 / 3.0, 3_000_000)] {
            for (start, early) in [(0, 1), (1_234_560, 1), (86_400_000_000_000, 1), (1_234_567_891, 20)] {
                let bucket = bucket(1, rate);
                assert!(grants(&bucket, &retry(at(start))));
                for token in 1..=1_000 {
                    let due = start + token * period;
                    assert!(!grants(&bucket, &retry(at(due - early))), "{rate} {start} {token}");
                    assert!(grants(&bucket, &retry(at(due))), "{rate} {start} {token}");
                }
            }
        }
    }

    #[test]
    fn it_agrees_with_a_bucket_that_counts_in_wide_integers() {
        let mut seed = 7u64;
        let mut random = move |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % below
        };
        for (capacity, rate) in [(1u32, 1u32), (10, 50), (100, 3), (1_000, 100_000), (7, 7)] {
            let bucket = bucket(capacity, f64::from(rate));
            // In billionths of a token: each nanosecond adds `rate` of them.
            let full = u128::from(capacity) * 1_000_000_000;
            let (mut level, mut last) = (full, 0);
            for _ in 0..20_000 {
                let now = last + random(2_000_000_000 / u64::from(rate)) / 1_000 * 1_000;
                level = full.min(level + u128::from(now - last) * u128::from(rate));
                last = now;
                let cost = 1 + random(u64::from(capacity)) as u32;
                let price = u128::from(cost) * 1_000_000_000;
                let granted = grants(&bucket, &retry(at(now)).with_cost(cost));
                assert_eq!(granted, price <= level, "{capacity} {rate} at {now}");
                if granted {
                    level -= price;
                }
            }
        }
    }

    #[test]
    fn threads_get_exactly_the_tokens_that_there_are() {
        const THREADS: u64 = 8;
        let (cold, warm) = (bucket(10_000, 0.0), bucket(10_000, 1e6));
        assert!(grants(&warm, &retry(at(0)).with_cost(10_000)));
        let start = Barrier::new(THREADS as usize);
        let granted: Vec<[u64; 2]> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|thread| {
                    let (cold, warm, start) = (&cold, &warm, &start);
                    scope.spawn(move || {
                        start.wait();
                        let mut granted = [0, 0];
                        for turn in 0..10_000 {
                            // One microsecond a turn, a token each; the threads' clocks are not in step.
                            let now = at(1_000 * turn + thread);
                            granted[0] += u64::from(cold.allow_attempt(&retry(now)).allowed);
                            granted[1] += u64::from(warm.allow_attempt(&retry(now)).allowed);
                        }
                        granted
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let total = |which: usize| granted.iter().map(|g| g[which]).sum::<u64>();
        assert_eq!(total(0), 10_000);
        assert_eq!(total(1) + warm.available(at(0)), 9_999);
    }

    #[test]
    fn bad_numbers_are_refused_by_name() {
        for (capacity, rate, field, value) in [
            (0, 1.0, "capacity", "0"),
            (1, -1.0, "refill_per_second", "-1"),
            (1, -1e-300, "refill_per_second", ""),
            (1, f64::NAN, "refill_per_second", "NaN"),
            (1, f64::INFINITY, "refill_per_second", "inf"),
            (1, f64::NEG_INFINITY, "refill_per_second", "-inf"),
            (1, 1.000_001e9, "refill_per_second", "1000001000"),
        ] {
            let error = TokenBucket::new(capacity, rate).unwrap_err();
            assert_eq!(error.field, field);
            assert!(error.value.contains(value), "{error}");
            assert!(error.to_string().starts_with(&format!("{field} = {}", error.value)), "{error}");
        }
    }

    #[test]
    fn a_moment_can_hold_any_duration() {
        let bucket = bucket(1, 1e-9);
        assert!(grants(&bucket, &retry(at(0) + Duration::MAX)));
        assert!(!grants(&bucket, &retry(at(0) + Duration::MAX)));
    }
}
