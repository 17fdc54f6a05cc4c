//! [`WatchedBudget`]: a budget whose permits are counted.

use recourse_core::{AttemptEnd, Budget, BudgetRequest, Decision, Label};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

/// Stands round a budget and counts what it gives out. Clones share the budget and the counts.
///
/// It decides nothing itself: register it in the budget's place, run what you like, and call
/// [`assert_settled`](Self::assert_settled) when no call is left.
///
/// ```
/// use recourse_core::{AttemptEnd, AttemptKind, Budget, BudgetRequest, Ending, Key, Moment, Now, Outcome};
/// use recourse_test::{ScriptedBudget, WatchedBudget};
///
/// let budget = WatchedBudget::new(ScriptedBudget::allows(1));
/// let (key, outcome, now) = (Key::from_static("svc.op"), Outcome::success(), Now::at(Moment::ZERO));
/// let request = BudgetRequest::new(&key, 0, AttemptKind::Retry, Now::at(Moment::ZERO));
///
/// let decision = budget.allow_attempt(&request);
/// assert_eq!(budget.outstanding(), 1);
/// drop(decision);
/// budget.on_outcome(&AttemptEnd::new(&key, 0, AttemptKind::Retry, Ending::Won, &outcome, &now));
/// budget.assert_settled();
/// ```
#[derive(Clone)]
pub struct WatchedBudget {
    inner: Arc<dyn Budget>,
    counts: Arc<Mutex<Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    allowed: u64,
    released: u64,
    ended: u64,
    refunded: u64,
    /// Permits that came back on a thread and whose end was not told there yet.
    untold: BTreeMap<u64, u64>,
    /// Permits whose release panicked: their end may be told or not.
    spoilt: u64,
    faults: Vec<String>,
}

impl WatchedBudget {
    /// Watches this budget.
    #[must_use]
    pub fn new(budget: impl Budget + 'static) -> Self {
        WatchedBudget { inner: Arc::new(budget), counts: Arc::default() }
    }

    /// Attempts that it has allowed.
    #[must_use]
    pub fn allowed(&self) -> u64 {
        self.lock().allowed
    }

    /// Permits that have not come back.
    #[must_use]
    pub fn outstanding(&self) -> u64 {
        let counts = self.lock();
        counts.allowed - counts.released
    }

    /// Asserts that each attempt that was allowed has come back: that its release has run, and that right behind it, on
    /// the same thread, the budget was told of one thing, an end or a refund. A budget that doesn't
    /// [want the ends](Budget::wants_outcomes) may be told of refunds alone, and one whose release panicked of nothing.
    ///
    /// # Panics
    ///
    /// If that is not so.
    #[track_caller]
    pub fn assert_settled(&self) {
        let counts = self.lock();
        let Counts { allowed, released, ended, refunded, .. } = *counts;
        let untold: u64 = counts.untold.values().sum();
        let faults = counts.faults.clone();
        drop(counts);
        assert!(faults.is_empty(), "the budget was treated badly: {faults:#?}");
        assert!(released == allowed, "{} permit(s) of {allowed} have not come back", allowed - released);
        assert!(
            !self.inner.wants_outcomes() || untold == 0,
            "{untold} permit(s) of {allowed} came back without a word of how their attempts ended; told of {ended} \
             ends and {refunded} refunds"
        );
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The budget is told what became of the permit that has just come back.
    fn told(&self, what: &str, count: impl FnOnce(&mut Counts) -> &mut u64) {
        let wants_ends = self.inner.wants_outcomes();
        let mut counts = self.lock();
        *count(&mut counts) += 1;
        let untold = counts.untold.entry(here()).or_default();
        match untold.checked_sub(1) {
            Some(less) => *untold = if wants_ends { less } else { 0 },
            None if counts.spoilt > 0 => counts.spoilt -= 1,
            None => counts.faults.push(format!("told of {what} of an attempt that it did not get back")),
        }
    }
}

/// Takes note of a release that panics.
struct Releasing<'a>(&'a WatchedBudget);

impl Drop for Releasing<'_> {
    fn drop(&mut self) {
        let mut counts = self.0.lock();
        counts.spoilt += 1;
        let untold = counts.untold.entry(here()).or_default();
        *untold = untold.saturating_sub(1);
    }
}

impl Counts {
    fn came_back(&mut self, wants_ends: bool) {
        self.released += 1;
        let untold = self.untold.entry(here()).or_default();
        *untold += 1;
        if *untold > 1 && wants_ends {
            self.faults.push("a permit came back before the one before it was told of".to_owned());
        }
    }
}

/// This thread, as something that can be sorted.
fn here() -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let thread: ThreadId = std::thread::current().id();
    let mut hasher = DefaultHasher::new();
    thread.hash(&mut hasher);
    hasher.finish()
}

impl Budget for WatchedBudget {
    fn allow_attempt(&self, request: &BudgetRequest<'_>) -> Decision {
        let mut decision = self.inner.allow_attempt(request);
        if !decision.allowed {
            return decision;
        }
        self.lock().allowed += 1;
        let (watch, release) = (self.clone(), decision.release.take());
        decision.with_release(move || {
            let wants_ends = watch.inner.wants_outcomes();
            watch.lock().came_back(wants_ends);
            let releasing = Releasing(&watch);
            drop(release);
            std::mem::forget(releasing);
        })
    }

    fn would_deny(&self, request: &BudgetRequest<'_>) -> Option<Label> {
        self.inner.would_deny(request)
    }

    fn refund(&self, request: &BudgetRequest<'_>) {
        self.told("a refund", |counts| &mut counts.refunded);
        self.inner.refund(request);
    }

    fn on_outcome(&self, end: &AttemptEnd<'_>) {
        self.told("the end", |counts| &mut counts.ended);
        self.inner.on_outcome(end);
    }

    fn wants_outcomes(&self) -> bool {
        self.inner.wants_outcomes()
    }

    /// Always: it counts what every attempt was given.
    fn wants_first_attempts(&self) -> bool {
        true
    }

    fn is_fed_by_first_attempts(&self) -> bool {
        self.inner.is_fed_by_first_attempts()
    }
}

impl fmt::Debug for WatchedBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WatchedBudget").field(&*self.lock()).finish()
    }
}
