//! [`Budget`]: gates attempts, so that retries and hedges can't become a storm.

mod decision;

pub use self::decision::{Decision, Release};

use crate::key::Key;
use crate::label::Label;
use crate::outcome::Outcome;
use crate::time::{Moment, Now};
use crate::timeline::Ending;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Gates attempts.
///
/// Every attempt of every policy that names the budget is asked about, the first included (index 0, kind retry) unless
/// the budget [doesn't want those](Self::wants_first_attempts), at the moment at which it would start. A policy's hedge
/// budget is asked about hedges, and about no other attempt unless it [lives on them](Self::is_fed_by_first_attempts). Keep it fast and lock-free; it is called on the caller's task.
///
/// ```
/// use recourse_core::{AttemptKind, Budget, BudgetRequest, Decision};
///
/// struct NoHedges;
/// impl Budget for NoHedges {
///     fn allow_attempt(&self, request: &BudgetRequest<'_>) -> Decision {
///         if request.kind() == AttemptKind::Hedge {
///             Decision::deny("budget_denied")
///         } else {
///             Decision::allow()
///         }
///     }
/// }
/// ```
pub trait Budget: Send + Sync {
    /// Whether the attempt may start. What is taken here is taken in one atomic step.
    fn allow_attempt(&self, request: &BudgetRequest<'_>) -> Decision;

    /// Whether the attempt is sure to be denied now, and why; takes nothing. Asked before a backoff, so that a call whose
    /// retry will be denied doesn't wait for it: a denial here ends the call, and [`allow_attempt`](Self::allow_attempt) is
    /// not asked. `None` (the default) when it would be allowed or can't be told, as where a budget decides by chance.
    fn would_deny(&self, request: &BudgetRequest<'_>) -> Option<Label> {
        let _ = request;
        None
    }

    /// An attempt that was allowed never started, because another gate refused it: gives back what
    /// [`allow_attempt`](Self::allow_attempt) took. The decision's release runs as well. Nothing by default.
    fn refund(&self, request: &BudgetRequest<'_>) {
        let _ = request;
    }

    /// An attempt that was allowed has ended: for budgets that are fed by success or failure. Called once for each
    /// allowed attempt, first ones included, however it ends; after its release has run. Called from a drop where
    /// the call is dropped. Nothing by default.
    fn on_outcome(&self, end: &AttemptEnd<'_>) {
        let _ = end;
    }

    /// Whether the budget listens to [`on_outcome`](Self::on_outcome); asked once a plan. One that doesn't may say
    /// so and save its calls that telling.
    fn wants_outcomes(&self) -> bool {
        true
    }

    /// Whether the budget is asked about the first attempts of calls; asked once a plan. One that allows each of them
    /// and takes nothing for it may say no, and most calls are spared the asking: then the executor doesn't call
    /// [`allow_attempt`](Self::allow_attempt) and [`refund`](Self::refund) for them, and records them as `allowed`.
    /// [`on_outcome`](Self::on_outcome) hears of their ends all the same.
    ///
    /// ```
    /// use recourse_core::{Budget, BudgetRequest, Decision};
    ///
    /// struct NoExtras;
    /// impl Budget for NoExtras {
    ///     fn allow_attempt(&self, request: &BudgetRequest<'_>) -> Decision {
    ///         if request.is_first_attempt() { Decision::allow() } else { Decision::deny("budget_denied") }
    ///     }
    ///     fn wants_first_attempts(&self) -> bool {
    ///         false
    ///     }
    /// }
    /// ```
    fn wants_first_attempts(&self) -> bool {
        true
    }

    /// Whether the budget lives on the first attempts of calls, as a ratio or a share does; asked once a plan. One that says
    /// yes hears of them, and how they end, also where a policy names it for its hedges alone. Its answer to them decides
    /// nothing there. No by default: a hedge budget is asked about hedges only.
    fn is_fed_by_first_attempts(&self) -> bool {
        false
    }
}

impl<B: Budget + ?Sized> Budget for Arc<B> {
    fn allow_attempt(&self, request: &BudgetRequest<'_>) -> Decision {
        (**self).allow_attempt(request)
    }
    fn would_deny(&self, request: &BudgetRequest<'_>) -> Option<Label> {
        (**self).would_deny(request)
    }
    fn refund(&self, request: &BudgetRequest<'_>) {
        (**self).refund(request);
    }
    fn on_outcome(&self, end: &AttemptEnd<'_>) {
        (**self).on_outcome(end);
    }
    fn wants_outcomes(&self) -> bool {
        (**self).wants_outcomes()
    }
    fn wants_first_attempts(&self) -> bool {
        (**self).wants_first_attempts()
    }
    fn is_fed_by_first_attempts(&self) -> bool {
        (**self).is_fed_by_first_attempts()
    }
}

/// What an attempt is, for a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AttemptKind {
    /// A primary attempt: the first of the call (index 0) or a retry.
    Retry,
    /// A hedge beside a primary.
    Hedge,
}

impl AttemptKind {
    /// The name in events: `retry` or `hedge`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            AttemptKind::Retry => "retry",
            AttemptKind::Hedge => "hedge",
        }
    }
}

impl fmt::Display for AttemptKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An attempt that asks to start.
#[derive(Debug)]
#[non_exhaustive]
pub struct BudgetRequest<'a> {
    key: &'a Key,
    attempt: u32,
    kind: AttemptKind,
    cost: u32,
    after_timeout: bool,
    time_left: Option<Duration>,
    now: Now<'a>,
}

impl<'a> BudgetRequest<'a> {
    /// A request at cost 1 without a deadline.
    ///
    /// ```
    /// use recourse_core::{AttemptKind, BudgetRequest, Key, Moment, Now};
    ///
    /// let key = Key::from_static("svc.op");
    /// let request = BudgetRequest::new(&key, 0, AttemptKind::Retry, Now::at(Moment::ZERO)).with_cost(5);
    /// assert!(request.is_first_attempt());
    /// ```
    #[must_use]
    #[inline]
    pub fn new(key: &'a Key, attempt: u32, kind: AttemptKind, now: Now<'a>) -> Self {
        BudgetRequest { key, attempt, kind, cost: 1, after_timeout: false, time_left: None, now }
    }

    /// The same at another cost.
    #[must_use]
    #[inline]
    pub fn with_cost(mut self, cost: u32) -> Self {
        self.cost = cost;
        self
    }

    /// The same, and whether it follows a [timeout](Self::after_timeout).
    #[must_use]
    #[inline]
    pub fn with_after_timeout(mut self, after_timeout: bool) -> Self {
        self.after_timeout = after_timeout;
        self
    }

    /// The same with the time that is left until the call's deadline.
    #[must_use]
    #[inline]
    pub fn with_time_left(mut self, left: Option<Duration>) -> Self {
        self.time_left = left;
        self
    }

    /// The call's key.
    #[must_use]
    #[inline]
    pub fn key(&self) -> &'a Key {
        self.key
    }

    /// Which attempt group, from 0.
    #[must_use]
    #[inline]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Primary or hedge.
    #[must_use]
    #[inline]
    pub fn kind(&self) -> AttemptKind {
        self.kind
    }

    /// What the policy says one attempt costs; at least 1.
    #[must_use]
    #[inline]
    pub fn cost(&self) -> u32 {
        self.cost
    }

    /// Whether this is a retry of an attempt that timed out: one that ran out of its time, or whose outcome has the
    /// reason `context_deadline_exceeded`. Where the group before was hedged, the attempt that decided it counts. Never
    /// for a first attempt or a hedge.
    ///
    /// ```
    /// use recourse_core::{AttemptKind, BudgetRequest, Key, Moment, Now};
    ///
    /// let key = Key::from_static("svc.op");
    /// let retry = BudgetRequest::new(&key, 1, AttemptKind::Retry, Now::at(Moment::ZERO));
    /// assert!(!retry.after_timeout());
    /// assert!(retry.with_after_timeout(true).after_timeout());
    /// ```
    #[must_use]
    #[inline]
    pub fn after_timeout(&self) -> bool {
        self.after_timeout
    }

    /// Time left until the call's deadline; `None` for no deadline.
    #[must_use]
    #[inline]
    pub fn time_left(&self) -> Option<Duration> {
        self.time_left
    }

    /// The present moment; the clock is read when this is first called.
    #[must_use]
    #[inline]
    pub fn now(&self) -> Moment {
        self.now.get()
    }

    /// Whether this is the call's first attempt, which built-in budgets neither charge nor deny.
    #[must_use]
    #[inline]
    pub fn is_first_attempt(&self) -> bool {
        self.attempt == 0 && self.kind == AttemptKind::Retry
    }
}

/// How an attempt ended that a budget had allowed.
///
/// ```
/// use recourse_core::{AttemptEnd, AttemptKind, Ending, Key, Moment, Now, Outcome};
///
/// let (key, outcome, now) = (Key::from_static("svc.op"), Outcome::success(), Now::at(Moment::ZERO));
/// let end = AttemptEnd::new(&key, 1, AttemptKind::Retry, Ending::Won, &outcome, &now);
/// assert_eq!((end.cost, end.is_first_attempt()), (1, false));
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AttemptEnd<'a> {
    /// The call's key.
    pub key: &'a Key,
    /// Which attempt group, from 0.
    pub attempt: u32,
    /// Primary or hedge.
    pub kind: AttemptKind,
    /// What the policy says one attempt costs.
    pub cost: u32,
    /// Whether it was a retry of an attempt that timed out, as its [request](BudgetRequest::after_timeout) said.
    pub after_timeout: bool,
    /// How it ended: won, failed, timed out, superseded, cancelled or panicked.
    pub ending: Ending,
    /// What the classifier said of it; an abort where it was dropped.
    pub outcome: &'a Outcome,
    /// The present moment, read when it is first asked for.
    pub now: &'a Now<'a>,
}

impl<'a> AttemptEnd<'a> {
    /// The end of an attempt at cost 1.
    #[must_use]
    #[inline]
    pub const fn new(
        key: &'a Key,
        attempt: u32,
        kind: AttemptKind,
        ending: Ending,
        outcome: &'a Outcome,
        now: &'a Now<'a>,
    ) -> Self {
        AttemptEnd { key, attempt, kind, cost: 1, after_timeout: false, ending, outcome, now }
    }

    /// The same at another cost.
    #[must_use]
    #[inline]
    pub const fn with_cost(mut self, cost: u32) -> Self {
        self.cost = cost;
        self
    }

    /// The same, and whether it followed a [timeout](BudgetRequest::after_timeout).
    #[must_use]
    #[inline]
    pub const fn with_after_timeout(mut self, after_timeout: bool) -> Self {
        self.after_timeout = after_timeout;
        self
    }

    /// Whether this was the call's first attempt.
    #[must_use]
    #[inline]
    pub fn is_first_attempt(&self) -> bool {
        self.attempt == 0 && self.kind == AttemptKind::Retry
    }
}
