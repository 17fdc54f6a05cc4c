//! [`AdaptiveThrottle`]: refuses locally what the other side would refuse anyway.

use crate::atomic::{AtomicU64, Ordering::Relaxed};
use crate::codes::DENIED;
use crate::decimal::parts;
use crate::error::BudgetConfigError;
use crate::window::Window;
use recourse_core::{AttemptEnd, Budget, BudgetRequest, Decision, Ending, Health, Moment};
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

/// The parts of an attempt.
const ATTEMPT: u64 = 1_000;

/// Client-side throttling as in chapter 21 (*Handling Overload*) of the Google SRE book.
///
/// Over the last two minutes it counts `requests`, the attempts that asked, and `accepts`, those that the other side
/// accepted. An attempt is denied with `budget_denied`, at random, with probability
///
/// > max(0, (requests - K x accepts) / (requests + 1))
///
/// where K is 2: it lets through about twice what the other side accepts, so that it notices when that grows again.
///
/// **It gates first attempts too**, unlike the other budgets: that is what it is for. With
/// [`spare_first_attempts`](Self::spare_first_attempts) it counts them and denies extras alone.
///
/// # What counts
///
/// Each attempt that asks is a request, whether or not it is let through. A local refusal is never an accept: otherwise
/// a client that refuses everything would think all is well. As a request it keeps the probability up while the callers
/// keep asking, and what is still let through finds out how things are.
///
/// | an attempt | counts as |
/// |---|---|
/// | was answered, also with a failure that is the request's own (health up) | accepted |
/// | failed, was throttled (429, RESOURCE_EXHAUSTED), or ran out of its time | not accepted |
/// | was superseded or cancelled, panicked, or says nothing (health none) | never asked |
/// | was allowed and never sent | never asked |
///
/// # How it decides
///
/// In whole numbers: K to the thousandth, and the chance as a 64-bit number. The window slides in twelve steps and reads
/// the clock once for each request. Draw n of a budget is a mix of its seed and n (SplitMix64: Steele, Lea, Flood, *Fast
/// Splittable Pseudorandom Number Generators*, 2014). The cost has no weight.
///
/// A retry's lot is drawn when it would start, and not before its backoff: no denial is certain ahead of its draw, so
/// [`would_deny`](Budget::would_deny) never foretells one, and a retry that is denied has waited.
///
/// A clock that goes backwards by less than the window doesn't move it. One that reads more before the latest moment was
/// [set back](crate#a-clock-that-jumps): what was counted stays, because to forget it would let everything through at
/// once, and slides out as time goes on from there.
///
/// ```
/// use recourse_budget::AdaptiveThrottle;
/// use recourse_core::{AttemptKind, Budget, BudgetRequest, Key, Moment, Now};
///
/// let throttle = AdaptiveThrottle::new().with_seed(7);
/// let key = Key::from_static("payments.Charge");
/// let ask = || {
///     let now = Now::at(Moment::ZERO);
///     throttle.allow_attempt(&BudgetRequest::new(&key, 0, AttemptKind::Retry, now)).allowed
/// };
/// assert!(ask()); // nothing is known yet
/// let sent = (0..1_000).filter(|_| ask()).count(); // and nothing is ever accepted
/// assert!(sent < 30);
/// ```
pub struct AdaptiveThrottle {
    k: f64,
    length: Duration,
    /// What an accept makes up for, in parts of an attempt.
    per_accept: u64,
    spares_first_attempts: bool,
    seed: u64,
    draws: AtomicU64,
    /// Requests, and what makes up for them, in parts of an attempt.
    window: Window,
}

impl Default for AdaptiveThrottle {
    fn default() -> Self {
        AdaptiveThrottle::new()
    }
}

impl AdaptiveThrottle {
    /// The window, unless it is [set](Self::with_window): two minutes, as in the book.
    pub const DEFAULT_WINDOW: Duration = Duration::from_secs(120);

    /// A throttle with the book's numbers: K = 2, two minutes. Its draws differ from process to process.
    #[must_use]
    pub fn new() -> Self {
        AdaptiveThrottle::of(
            2.0,
            AdaptiveThrottle::DEFAULT_WINDOW,
            false,
            RandomState::new().build_hasher().finish(),
        )
    }

    fn of(k: f64, length: Duration, spares_first_attempts: bool, seed: u64) -> Self {
        let (per_accept, window) = (parts(k, ATTEMPT), Window::of(length));
        AdaptiveThrottle {
            k,
            length,
            per_accept,
            spares_first_attempts,
            seed,
            draws: AtomicU64::new(0),
            window,
        }
    }

    /// Sets K: 1.1 denies sooner and sends the other side less that it refuses, a larger one denies later.
    ///
    /// # Errors
    ///
    /// [`BudgetConfigError`] if K is not from 1 to 100.
    pub fn with_k(self, k: f64) -> Result<Self, BudgetConfigError> {
        if !(1.0..=100.0).contains(&k) {
            return Err(BudgetConfigError::new(
                "k",
                k,
                "1 to 100 requests for each that is accepted; 2 is usual",
            ));
        }
        Ok(AdaptiveThrottle::of(k, self.length, self.spares_first_attempts, self.seed))
    }

    /// Sets over how long requests are counted.
    ///
    /// # Errors
    ///
    /// [`BudgetConfigError`] if the window is not from 1 s to 1 h.
    pub fn with_window(self, length: Duration) -> Result<Self, BudgetConfigError> {
        if !(Duration::from_secs(1)..=Duration::from_secs(3600)).contains(&length) {
            return Err(BudgetConfigError::new(
                "window",
                format_args!("{length:?}"),
                "1 s to 1 h; 2 min is usual",
            ));
        }
        Ok(AdaptiveThrottle::of(self.k, length, self.spares_first_attempts, self.seed))
    }

    /// Fixes the draws, for tests: the same requests and ends then get the same answers.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        AdaptiveThrottle::of(self.k, self.length, self.spares_first_attempts, seed)
    }

    /// Never denies first attempts; they are counted all the same.
    #[must_use]
    pub fn spare_first_attempts(self) -> Self {
        AdaptiveThrottle::of(self.k, self.length, true, self.seed)
    }

    /// Requests for each that is accepted, from which on it denies.
    #[must_use]
    pub fn k(&self) -> f64 {
        self.k
    }

    /// Over how long requests are counted.
    #[must_use]
    pub fn window(&self) -> Duration {
        self.length
    }

    /// The probability that an attempt is denied at `now`, on the clock of the executor that uses it: 0 to 1.
    #[must_use]
    pub fn denial_probability(&self, now: Moment) -> f64 {
        let (excess, of) = self.chance(now);
        excess as f64 / of as f64
    }

    /// The probability as a fraction.
    fn chance(&self, now: Moment) -> (u64, u64) {
        let (requests, made_up_for) = self.window.sums(now);
        let excess = requests.saturating_mul(ATTEMPT).saturating_sub(made_up_for);
        (excess, requests.saturating_add(1).saturating_mul(ATTEMPT))
    }

    /// Whether draw `number` says no at this chance.
    fn denies(&self, (excess, of): (u64, u64), number: u64) -> bool {
        (u128::from(mixed(self.seed, number)) * u128::from(of)) >> 64 < u128::from(excess)
    }

    fn is_spared(&self, request: &BudgetRequest<'_>) -> bool {
        self.spares_first_attempts && request.is_first_attempt()
    }
}

/// Output `number` of SplitMix64 from `seed`.
fn mixed(seed: u64, number: u64) -> u64 {
    let state = seed.wrapping_add(number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let once = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let twice = (once ^ (once >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    twice ^ (twice >> 31)
}

impl Budget for AdaptiveThrottle {
    fn allow_attempt(&self, request: &BudgetRequest<'_>) -> Decision {
        let now = request.now();
        self.window.advance(now);
        let chance = self.chance(now);
        self.window.add_first(1);
        let denied =
            !self.is_spared(request) && chance.0 > 0 && self.denies(chance, self.draws.fetch_add(1, Relaxed));
        if denied { Decision::deny(DENIED) } else { Decision::allow() }
    }

    fn refund(&self, _: &BudgetRequest<'_>) {
        self.window.add_second(ATTEMPT);
    }

    fn on_outcome(&self, end: &AttemptEnd<'_>) {
        if end.ending == Ending::TimedOut {
            return;
        }
        match end.outcome.health {
            Health::Up => self.window.add_second(self.per_accept),
            Health::None => self.window.add_second(ATTEMPT),
            _ => {}
        }
    }

    fn is_fed_by_first_attempts(&self) -> bool {
        true
    }
}

impl fmt::Debug for AdaptiveThrottle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdaptiveThrottle")
            .field("k", &self.k)
            .field("window", &self.length)
            .field("spares_first_attempts", &self.spares_first_attempts)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use recourse_core::{AttemptKind, Key, Now, Outcome, reason};

    static KEY: Key = Key::from_static("svc.op");
    const SECOND: u64 = 1_000_000_000;

    fn request(attempt: u32, seconds: u64) -> BudgetRequest<'static> {
        let now = Moment::from_nanos(seconds.saturating_mul(SECOND));
        BudgetRequest::new(&KEY, attempt, AttemptKind::Retry, Now::at(now))
    }

    fn asks(throttle: &AdaptiveThrottle, attempt: u32, seconds: u64) -> bool {
        throttle.allow_attempt(&request(attempt, seconds)).allowed
    }

    fn ends(throttle: &AdaptiveThrottle, ending: Ending, outcome: &Outcome) {
        throttle.on_outcome(&AttemptEnd::new(
            &KEY,
            0,
            AttemptKind::Retry,
            ending,
            outcome,
            &Now::at(Moment::ZERO),
        ));
    }

    fn probability(throttle: &AdaptiveThrottle, seconds: u64) -> f64 {
        throttle.denial_probability(Moment::from_nanos(seconds.saturating_mul(SECOND)))
    }

    fn throttle() -> AdaptiveThrottle {
        AdaptiveThrottle::new().with_seed(1)
    }

    #[test]
    fn the_probability_is_the_books() {
        let throttle = throttle();
        for requests in 1..=1_000 {
            asks(&throttle, 0, 0);
            if requests % 4 == 0 {
                ends(&throttle, Ending::Won, &Outcome::success());
            }
            let (requests, accepts) = (f64::from(requests), f64::from(requests / 4));
            let wanted = ((requests - 2.0 * accepts) / (requests + 1.0)).max(0.0);
            assert!((probability(&throttle, 0) - wanted).abs() < 1e-12, "{requests}");
        }
    }

    #[test]
    fn all_is_let_through_while_half_is_accepted() {
        let throttle = throttle();
        for _ in 0..10_000 {
            assert!(asks(&throttle, 0, 1));
            ends(&throttle, Ending::Won, &Outcome::success());
            assert!(asks(&throttle, 0, 1));
            ends(&throttle, Ending::Failed, &Outcome::retryable(""));
        }
    }

    #[test]
    fn about_twice_what_is_accepted_is_let_through_and_recovery_is_noticed() {
        let throttle = throttle();
        // 100 a second are asked; the other side accepts at most so many a second.
        let run = |seconds: std::ops::Range<u64>, accepts: u32| {
            let mut sent_in_last = 0;
            for second in seconds {
                let mut sent = 0;
                for _ in 0..100 {
                    if asks(&throttle, 0, second) {
                        sent += 1;
                        let accepted = sent <= accepts;
                        let outcome = if accepted { Outcome::success() } else { Outcome::retryable("") };
                        ends(&throttle, if accepted { Ending::Won } else { Ending::Failed }, &outcome);
                    }
                }
                sent_in_last = sent;
            }
            sent_in_last
        };
        assert_eq!(run(0..100, 100), 100);
        let overloaded = run(100..500, 10);
        assert!((10..=35).contains(&overloaded), "{overloaded}");
        assert_eq!(run(500..1_500, 100), 100);
    }

    #[test]
    fn refusals_are_requests_and_never_accepts() {
        let throttle = throttle();
        let sent = (0..10_000).filter(|_| asks(&throttle, 0, 0)).count();
        assert!(sent < 30, "{sent}");
        assert_eq!(throttle.window.sums(Moment::ZERO), (10_000, 0));
    }

    #[test]
    fn what_counts_is_as_the_table_says() {
        let none = Outcome::abort(reason::CONTEXT_CANCELED);
        for (ending, outcome, made_up_for) in [
            (Ending::Won, Outcome::success(), 2_000),
            (Ending::Failed, Outcome::non_retryable(""), 2_000),
            (Ending::Failed, Outcome::retryable(""), 0),
            (Ending::Failed, Outcome::retryable("http_429").with_health(Health::Throttled), 0),
            (Ending::TimedOut, Outcome::abort(reason::OVERALL_TIMEOUT), 0),
            (Ending::Superseded, none.clone(), 1_000),
            (Ending::Cancelled, none.clone(), 1_000),
            (Ending::Panicked, none, 1_000),
        ] {
            let throttle = throttle();
            assert!(asks(&throttle, 0, 0));
            ends(&throttle, ending, &outcome);
            assert_eq!(throttle.window.sums(Moment::ZERO), (1, made_up_for), "{ending:?} {outcome:?}");
        }
        let throttle = throttle();
        throttle.allow_attempt(&request(0, 0));
        throttle.refund(&request(0, 0));
        assert_eq!(probability(&throttle, 0), 0.0);
    }

    #[test]
    fn the_window_slides_and_time_may_jump() {
        let throttle = throttle();
        (0..100).for_each(|_| _ = asks(&throttle, 0, 1_000));
        for back in [880, 900, 999] {
            assert_eq!(probability(&throttle, back), probability(&throttle, 1_000));
            _ = asks(&throttle, 0, back);
        }
        assert!(probability(&throttle, 1_100) > 0.9);
        assert_eq!(probability(&throttle, 1_130), 0.0);
        assert!(asks(&throttle, 0, 1_130));
        (0..100).for_each(|_| _ = asks(&throttle, 0, u64::MAX));
        assert!(probability(&throttle, u64::MAX) > 0.9);
    }

    #[test]
    fn a_clock_that_was_set_back_keeps_nobody_out_for_longer_than_the_window() {
        for late in [200, 1_000, u64::MAX] {
            for asked in [0, 1] {
                let throttle = throttle();
                (0..1_000).for_each(|_| _ = asks(&throttle, 0, late));
                // What is known of the other side is as good as it was.
                assert_eq!(probability(&throttle, 0), probability(&throttle, late));
                (0..=asked).for_each(|second| _ = asks(&throttle, 0, second));
                assert!(probability(&throttle, 100) > 0.9);
                assert_eq!(probability(&throttle, 131), 0.0, "{late}");
                assert!((131..200).all(|second| {
                    let sent = asks(&throttle, 0, second);
                    ends(&throttle, Ending::Won, &Outcome::success());
                    sent
                }));
            }
        }
    }

    #[test]
    fn first_attempts_can_be_spared() {
        let throttle = throttle().spare_first_attempts();
        assert!((0..1_000).all(|_| asks(&throttle, 0, 0)));
        assert!((0..1_000).filter(|_| asks(&throttle, 1, 0)).count() < 20);
    }

    #[test]
    fn a_retry_that_is_asked_about_beforehand_is_denied_no_more_often() {
        for spares in [true, false] {
            let throttle = match spares {
                true => throttle().spare_first_attempts(),
                false => throttle(),
            };
            // About 0.4: of 10,000 requests, 3,000 are accepted.
            (0..10_000).for_each(|_| _ = throttle.allow_attempt(&request(0, 0)));
            (0..3_000).for_each(|_| ends(&throttle, Ending::Won, &Outcome::success()));
            let (mut expected, mut denied) = (0.0, 0);
            for _ in 0..1_000 {
                throttle.allow_attempt(&request(0, 0));
                expected += probability(&throttle, 0);
                let foretold = throttle.would_deny(&request(1, 0)).is_some();
                denied += u32::from(foretold || !asks(&throttle, 1, 0));
            }
            // Three standard deviations.
            assert!((f64::from(denied) - expected).abs() < 48.0, "{spares}: {denied} of {expected}");
        }
    }

    #[test]
    fn draws_are_uniform_and_follow_the_seed() {
        // Chi-squared over 64 cells, 63 degrees of freedom: 103.4 is the 0.1 % point.
        for seed in [0, 1, 2, u64::MAX, 0xDEAD_BEEF] {
            let mut cells = [0u32; 64];
            (0..64_000).for_each(|number| cells[(mixed(seed, number) >> 58) as usize] += 1);
            let squares = cells.iter().map(|count| (f64::from(*count) - 1_000.0).powi(2) / 1_000.0);
            assert!(squares.sum::<f64>() < 103.4, "{seed}");
        }
        let answers = |seed| {
            let throttle = AdaptiveThrottle::new().with_seed(seed);
            Vec::from_iter((0..64).map(|_| asks(&throttle, 0, 0)))
        };
        assert_eq!(answers(5), answers(5));
        assert_ne!(answers(5), answers(6));
    }

    #[test]
    fn bad_numbers_are_refused_by_name() {
        for bad in [0.0, 0.99, 100.1, -1.0, f64::NAN, f64::INFINITY] {
            let error = throttle().with_k(bad).unwrap_err();
            assert_eq!((error.field, error.value), ("k", bad.to_string()));
        }
        for bad in [Duration::ZERO, Duration::from_secs(3601)] {
            assert_eq!(throttle().with_window(bad).unwrap_err().field, "window");
        }
        let set = throttle().with_k(1.5).unwrap().with_window(Duration::from_secs(60)).unwrap();
        assert_eq!((set.k(), set.window(), set.wants_outcomes()), (1.5, Duration::from_secs(60), true));
    }
}
