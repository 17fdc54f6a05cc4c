//! [`Observing`]: a budget that says what it would deny, and denies nothing.

use crate::codes::{OBSERVED_DENIAL, OBSERVED_PANIC};
use crate::routing::{Routes, Turns};
use recourse_core::{AttemptEnd, AttemptKind, Budget, BudgetRequest, Decision, Label};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Wraps a budget to see what it would do, before it does it.
///
/// The budget inside decides as ever. Where it denies, the attempt starts all the same, with
/// [`observed_denial`](crate::OBSERVED_DENIAL) as its `budget_reason` in the timeline and in `on_budget_decision`, and a
/// counter here goes up by one. [`would_deny`](Budget::would_deny) never says so. So a budget is rolled out in three
/// steps that change one line each: none, observing, enforcing.
///
/// Where the budget inside panics when it is asked, the attempt starts too, with
/// [`observed_panic`](crate::OBSERVED_PANIC) as its reason: enforced, it would have been denied. So it counts as a denial,
/// and in [`panicked`](Self::panicked). The panic goes no further, also where the executor's panic recovery is off; the
/// process's panic hook has told of it.
///
/// The budget inside hears of the ends and refunds of the attempts that it allowed itself, and of no others, as if it
/// were enforced. What it can't know is that fewer attempts would have been sent: its callers go on retrying where they
/// would have stopped, so it counts more denials than it would make. An attempt that it denied carries a release, one
/// small allocation, which must run right before the end or the refund, as for [`AnyOf`](crate::AnyOf).
///
/// Register an [`Arc`](std::sync::Arc) of it and keep a clone to read the counters.
///
/// ```
/// use recourse_budget::{OBSERVED_DENIAL, Observing, TokenBucket};
/// use recourse_core::{AttemptKind, Budget, BudgetRequest, Key, Moment, Now};
///
/// let budget = Observing::new(TokenBucket::new(1, 0.0)?);
/// let key = Key::from_static("payments.Charge");
/// let retry = BudgetRequest::new(&key, 1, AttemptKind::Retry, Now::at(Moment::ZERO));
/// assert_eq!(budget.allow_attempt(&retry).reason, "allowed");
///
/// let decision = budget.allow_attempt(&retry);
/// assert!(decision.allowed && decision.reason == OBSERVED_DENIAL);
/// assert_eq!((budget.denied(), budget.denied_retries()), (1, 1));
/// # Ok::<(), recourse_budget::BudgetConfigError>(())
/// ```
pub struct Observing<B> {
    inner: B,
    routes: Routes,
    first_attempts: AtomicU64,
    retries: AtomicU64,
    hedges: AtomicU64,
    panicked: AtomicU64,
}

impl<B: Budget> Observing<B> {
    /// Observes what `budget` would deny.
    #[must_use]
    pub fn new(budget: B) -> Self {
        Observing {
            inner: budget,
            routes: Routes::new(),
            first_attempts: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            hedges: AtomicU64::new(0),
            panicked: AtomicU64::new(0),
        }
    }
}

impl<B> Observing<B> {
    /// The budget inside.
    #[must_use]
    pub fn inner(&self) -> &B {
        &self.inner
    }

    /// Attempts that it would have denied, of any kind.
    #[must_use]
    pub fn denied(&self) -> u64 {
        self.denied_first_attempts() + self.denied_retries() + self.denied_hedges()
    }

    /// Of these, the ones about which it panicked.
    #[must_use]
    pub fn panicked(&self) -> u64 {
        self.panicked.load(Relaxed)
    }

    /// First attempts that it would have denied.
    #[must_use]
    pub fn denied_first_attempts(&self) -> u64 {
        self.first_attempts.load(Relaxed)
    }

    /// Retries that it would have denied.
    #[must_use]
    pub fn denied_retries(&self) -> u64 {
        self.retries.load(Relaxed)
    }

    /// Hedges that it would have denied.
    #[must_use]
    pub fn denied_hedges(&self) -> u64 {
        self.hedges.load(Relaxed)
    }
}

/// An attempt that the budget inside denied has no members behind it.
const NOBODY: u64 = 0;

impl<B: Budget> Budget for Observing<B> {
    fn allow_attempt(&self, request: &BudgetRequest<'_>) -> Decision {
        let (mut turns, mut asked) = (Turns::default(), None);
        // A denial's release belongs to nothing that was taken: it runs here.
        turns.take(|| asked = Some(self.inner.allow_attempt(request)).filter(|decision| decision.allowed));
        if let Some(decision) = asked {
            return decision;
        }
        let counter = match request.kind() {
            _ if request.is_first_attempt() => &self.first_attempts,
            AttemptKind::Hedge => &self.hedges,
            _ => &self.retries,
        };
        counter.fetch_add(1, Relaxed);
        let panicked = turns.forget();
        self.panicked.fetch_add(u64::from(panicked), Relaxed);
        let mut decision = Decision::allow();
        decision.reason = Label::from_static(if panicked { OBSERVED_PANIC } else { OBSERVED_DENIAL });
        decision.release = Some(self.routes.note(NOBODY));
        decision
    }

    fn refund(&self, request: &BudgetRequest<'_>) {
        if self.routes.take().is_none() {
            self.inner.refund(request);
        }
    }

    fn on_outcome(&self, end: &AttemptEnd<'_>) {
        if self.routes.take().is_none() {
            self.inner.on_outcome(end);
        }
    }

    /// Always: the note of an attempt that has ended must be taken.
    fn wants_outcomes(&self) -> bool {
        true
    }

    fn wants_first_attempts(&self) -> bool {
        self.inner.wants_first_attempts()
    }

    fn is_fed_by_first_attempts(&self) -> bool {
        self.inner.is_fed_by_first_attempts()
    }
}

impl<B: fmt::Debug> fmt::Debug for Observing<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observing").field("inner", &self.inner).field("denied", &self.denied()).finish()
    }
}
