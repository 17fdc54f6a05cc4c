//! [`Throttle`]: no extra attempts while too many attempts fail.

use crate::atomic::{AtomicU64, Ordering::Relaxed};
use crate::codes::DENIED;
use crate::decimal::parts;
use crate::error::BudgetConfigError;
use recourse_core::{
    AttemptEnd, Budget, BudgetRequest, Decision, Ending, Health, Label, OutcomeKind, reason,
};
use std::fmt;

/// The parts of a token.
const TOKEN: u64 = 1_000;

/// The retry throttle of gRPC (proposal A6, *gRPC Retry Design*).
///
/// It holds tokens, `max_tokens` at the start and at most. Each attempt that fails takes one, each that succeeds gives
/// `token_ratio` back, first attempts included. Retries and hedges are allowed while there are **more than half** of
/// the tokens, and denied with `budget_denied` otherwise. So with a token ratio of 0.1 they stop when more than 9.09 %
/// of all attempts fail, and come back when enough succeed: it is fed by successes, and so lets a service recover that
/// retries would keep down.
///
/// # What counts
///
/// | an attempt | tokens |
/// |---|---|
/// | succeeded | + `token_ratio` |
/// | failed and may be retried, or ran out of its time | - 1 |
/// | failed, and the server said not to retry (`server_do_not_retry`) | - 1 |
/// | failed, may not be retried, and the server was at fault or asked for less (health down or throttled) | - 1 |
/// | failed in another way: the request was at fault | unchanged |
/// | was superseded or cancelled, or its operation panicked | unchanged |
///
/// So a 503 counts whatever the method, as A6 judges by the status alone: that a POST isn't repeated says nothing of the
/// server.
///
/// Asking takes nothing, so nothing is given back; first attempts are never denied, and the cost has no weight. It never
/// reads the clock. Tokens are counted in thousandths, whole; deciding is one load, and so is a success at full tokens.
///
/// ```
/// use recourse_budget::Throttle;
/// use recourse_core::{AttemptEnd, AttemptKind, Budget, BudgetRequest, Ending, Key, Moment, Now, Outcome};
///
/// let throttle = Throttle::new(10, 0.1)?;
/// let (key, now) = (Key::from_static("payments.Charge"), Now::at(Moment::ZERO));
/// let retry = BudgetRequest::new(&key, 1, AttemptKind::Retry, Now::at(Moment::ZERO));
/// let failed = Outcome::retryable("http_5xx");
/// let end = AttemptEnd::new(&key, 0, AttemptKind::Retry, Ending::Failed, &failed, &now);
///
/// (0..4).for_each(|_| throttle.on_outcome(&end));
/// assert!(throttle.allow_attempt(&retry).allowed);
/// throttle.on_outcome(&end); // five of ten are not more than half
/// assert!(!throttle.allow_attempt(&retry).allowed);
/// # Ok::<(), recourse_budget::BudgetConfigError>(())
/// ```
pub struct Throttle {
    max_tokens: u32,
    token_ratio: f64,
    /// All in thousandths.
    most: u64,
    per_success: u64,
    level: AtomicU64,
}

impl Throttle {
    /// A throttle at `max_tokens` tokens, which a success gives `token_ratio` back to.
    ///
    /// # Errors
    ///
    /// [`BudgetConfigError`] if `max_tokens` is not from 1 to 1,000, as A6 has it, or `token_ratio` is not from 0.001
    /// to 1,000. Decimals beyond the third don't count.
    pub fn new(max_tokens: u32, token_ratio: f64) -> Result<Self, BudgetConfigError> {
        if !(1..=1_000).contains(&max_tokens) {
            return Err(BudgetConfigError::new("max_tokens", max_tokens, "1 to 1,000 tokens"));
        }
        if !(0.001..=1_000.0).contains(&token_ratio) {
            return Err(BudgetConfigError::new(
                "token_ratio",
                token_ratio,
                "0.001 to 1,000 tokens for each success; 0.1 is usual",
            ));
        }
        let most = u64::from(max_tokens) * TOKEN;
        let per_success = parts(token_ratio, TOKEN);
        Ok(Throttle { max_tokens, token_ratio, most, per_success, level: AtomicU64::new(most) })
    }

    /// Tokens at the start, and at most.
    #[must_use]
    pub fn max_tokens(&self) -> u32 {
        self.max_tokens
    }

    /// Tokens that a success gives back.
    #[must_use]
    pub fn token_ratio(&self) -> f64 {
        self.token_ratio
    }

    /// Tokens that there are now, to the thousandth.
    #[must_use]
    pub fn tokens(&self) -> f64 {
        self.level.load(Relaxed) as f64 / TOKEN as f64
    }

    fn denies(&self, request: &BudgetRequest<'_>) -> bool {
        !request.is_first_attempt() && self.level.load(Relaxed) * 2 <= self.most
    }

    /// Stores nothing where nothing changes, so that threads whose calls succeed don't fight for the word.
    fn change(&self, to: impl Fn(u64) -> u64) {
        _ = self.level.fetch_update(Relaxed, Relaxed, |level| {
            let changed = to(level);
            (changed != level).then_some(changed)
        });
    }
}

fn failed(end: &AttemptEnd<'_>) -> bool {
    end.ending == Ending::TimedOut
        || end.outcome.kind == OutcomeKind::Retryable
        || end.outcome.reason == reason::SERVER_DO_NOT_RETRY
        || (end.outcome.kind != OutcomeKind::Success
            && matches!(end.outcome.health, Health::Down | Health::Throttled))
}

impl Budget for Throttle {
    fn allow_attempt(&self, request: &BudgetRequest<'_>) -> Decision {
        if self.denies(request) { Decision::deny(DENIED) } else { Decision::allow() }
    }

    fn would_deny(&self, request: &BudgetRequest<'_>) -> Option<Label> {
        self.denies(request).then_some(DENIED)
    }

    fn on_outcome(&self, end: &AttemptEnd<'_>) {
        if failed(end) {
            self.change(|level| level.saturating_sub(TOKEN));
        } else if end.outcome.kind == OutcomeKind::Success {
            self.change(|level| (level + self.per_success).min(self.most));
        }
    }

    fn wants_first_attempts(&self) -> bool {
        false
    }

    fn is_fed_by_first_attempts(&self) -> bool {
        true
    }
}

impl fmt::Debug for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttle")
            .field("max_tokens", &self.max_tokens)
            .field("token_ratio", &self.token_ratio)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use recourse_core::{AttemptKind, Key, Moment, Now, Outcome};

    static KEY: Key = Key::from_static("svc.op");

    fn ended(throttle: &Throttle, ending: Ending, outcome: &Outcome) {
        let now = Now::at(Moment::ZERO);
        throttle.on_outcome(&AttemptEnd::new(&KEY, 0, AttemptKind::Retry, ending, outcome, &now));
    }

    fn fails(throttle: &Throttle) {
        ended(throttle, Ending::Failed, &Outcome::retryable(""));
    }

    fn succeeds(throttle: &Throttle) {
        ended(throttle, Ending::Won, &Outcome::success());
    }

    fn allows(throttle: &Throttle, attempt: u32, kind: AttemptKind) -> bool {
        let request = BudgetRequest::new(&KEY, attempt, kind, Now::at(Moment::ZERO)).with_cost(u32::MAX);
        let decision = throttle.allow_attempt(&request);
        assert_eq!(throttle.would_deny(&request).is_none(), decision.allowed);
        decision.allowed
    }

    fn allows_retry(throttle: &Throttle) -> bool {
        allows(throttle, 1, AttemptKind::Retry)
    }

    #[test]
    fn retries_need_more_than_half_of_the_tokens() {
        for (max, failures) in [(1, 1), (2, 1), (3, 2), (10, 5), (999, 500), (1_000, 500)] {
            let throttle = Throttle::new(max, 0.001).unwrap();
            for _ in 0..failures {
                assert!(allows_retry(&throttle), "{max}");
                fails(&throttle);
            }
            assert!(!allows_retry(&throttle), "{max}");
            assert!(!allows(&throttle, 0, AttemptKind::Hedge));
            assert!(allows(&throttle, 0, AttemptKind::Retry));
        }
    }

    #[test]
    fn successes_bring_retries_back_to_the_thousandth() {
        let throttle = Throttle::new(10, 0.334).unwrap();
        (0..100).for_each(|_| fails(&throttle));
        assert_eq!(throttle.tokens(), 0.0);
        for _ in 0..14 {
            succeeds(&throttle);
            assert!(!allows_retry(&throttle));
        }
        succeeds(&throttle);
        assert_eq!(throttle.tokens(), 5.01);
        assert!(allows_retry(&throttle));
        (0..100).for_each(|_| succeeds(&throttle));
        assert_eq!(throttle.tokens(), 10.0);
    }

    #[test]
    fn retries_stop_when_more_than_one_in_eleven_fails() {
        // The failures come evenly.
        let settles = |calls: u64, failing: u64| {
            let throttle = Throttle::new(100, 0.1).unwrap();
            for call in 0..1_000_000 {
                if call * failing % calls < failing { fails(&throttle) } else { succeeds(&throttle) }
            }
            allows_retry(&throttle)
        };
        assert!(settles(11, 1), "9.09 %");
        assert!(settles(100, 9), "9 %");
        assert!(!settles(1_000, 91), "9.1 %");
        assert!(!settles(10, 1), "10 %");
    }

    #[test]
    fn what_counts_is_as_the_table_says() {
        let deadline = Outcome::abort(reason::OVERALL_TIMEOUT);
        let cancelled = Outcome::abort(reason::CONTEXT_CANCELED);
        let unrepeatable = Outcome::non_retryable(reason::HTTP_NON_IDEMPOTENT);
        for (ending, outcome, left) in [
            (Ending::Failed, Outcome::retryable("http_5xx"), 9.0),
            (Ending::Failed, Outcome::non_retryable(reason::SERVER_DO_NOT_RETRY), 9.0),
            (Ending::TimedOut, Outcome::retryable(reason::CONTEXT_DEADLINE_EXCEEDED), 9.0),
            (Ending::TimedOut, Outcome::non_retryable(reason::HTTP_NON_IDEMPOTENT), 9.0),
            (Ending::TimedOut, deadline, 9.0),
            (Ending::Failed, Outcome::retryable("busy").with_health(Health::Up), 9.0),
            (Ending::Failed, unrepeatable.clone().with_health(Health::Down), 9.0),
            (Ending::Failed, unrepeatable.clone().with_health(Health::Throttled), 9.0),
            (Ending::Failed, unrepeatable, 10.0),
            (Ending::Failed, Outcome::non_retryable("http_non_retryable_status"), 10.0),
            (Ending::Won, Outcome::success().with_health(Health::Down), 10.0),
            (Ending::Superseded, cancelled.clone(), 10.0),
            (Ending::Cancelled, cancelled, 10.0),
            (Ending::Panicked, Outcome::abort(reason::PANIC_IN_OPERATION), 10.0),
            (Ending::Won, Outcome::success(), 10.0),
        ] {
            let throttle = Throttle::new(10, 0.1).unwrap();
            ended(&throttle, ending, &outcome);
            assert_eq!(throttle.tokens(), left, "{ending:?} {outcome:?}");
        }
    }

    #[test]
    fn bad_numbers_are_refused_by_name() {
        for bad in [0, 1_001, u32::MAX] {
            let error = Throttle::new(bad, 0.1).unwrap_err();
            assert_eq!((error.field, error.value), ("max_tokens", bad.to_string()));
        }
        for bad in [0.0, 0.000_9, -1.0, 1_000.1, f64::NAN, f64::INFINITY] {
            let error = Throttle::new(10, bad).unwrap_err();
            assert_eq!((error.field, error.value), ("token_ratio", bad.to_string()));
        }
    }

    #[test]
    fn it_listens() {
        let throttle = Throttle::new(10, 0.1).unwrap();
        assert!(throttle.wants_outcomes());
        assert_eq!((throttle.max_tokens(), throttle.token_ratio()), (10, 0.1));
    }
}
