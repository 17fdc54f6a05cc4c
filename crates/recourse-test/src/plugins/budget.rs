//! [`ScriptedBudget`]: allows and denies in turn, and counts the permits that are out.

use crate::sequence::Sequence;
use recourse_core::{AttemptKind, Budget, BudgetRequest, Decision, Key, Label, reason};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A budget that allows and denies in turn; the last step repeats. Clones share it.
///
/// Every attempt takes a step, the first of a call and hedges included. A peek looks at the next step and takes
/// nothing. An allowed attempt holds a permit until its release runs.
///
/// ```
/// use recourse_core::{AttemptKind, Budget, BudgetRequest, Key, Moment, Now};
/// use recourse_test::ScriptedBudget;
///
/// let budget = ScriptedBudget::allows(1).then_denies(1);
/// let key = Key::from_static("svc.op");
/// let request = |attempt| BudgetRequest::new(&key, attempt, AttemptKind::Retry, Now::at(Moment::ZERO));
///
/// let first = budget.allow_attempt(&request(0));
/// assert!(first.allowed);
/// assert_eq!(budget.outstanding(), 1);
/// drop(first);
/// budget.assert_all_released();
/// assert!(!budget.allow_attempt(&request(1)).allowed);
/// assert_eq!((budget.asks().len(), budget.peeks().len()), (2, 0));
/// ```
#[derive(Clone)]
pub struct ScriptedBudget(Arc<Mutex<State>>);

/// What a [`ScriptedBudget`] was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BudgetAsk {
    /// The call's key.
    pub key: Key,
    /// Which attempt group, from 0.
    pub attempt: u32,
    /// Primary or hedge.
    pub kind: AttemptKind,
    /// What the policy says one attempt costs.
    pub cost: u32,
    /// Time left until the call's deadline; `None` for no deadline.
    pub time_left: Option<Duration>,
    /// What it was told.
    pub allowed: bool,
}

#[derive(Debug)]
struct State {
    allows: Sequence<bool>,
    reason: Label,
    peekable: bool,
    asks: Vec<BudgetAsk>,
    peeks: Vec<BudgetAsk>,
    outstanding: usize,
    released: usize,
}

impl ScriptedBudget {
    /// Begins with `times` allowed attempts. `allows(1)` alone allows every attempt.
    #[must_use]
    pub fn allows(times: u32) -> Self {
        ScriptedBudget::empty().then_allows(times)
    }

    /// Begins with `times` denied attempts. `denies(1)` alone denies every attempt.
    #[must_use]
    pub fn denies(times: u32) -> Self {
        ScriptedBudget::empty().then_denies(times)
    }

    fn empty() -> Self {
        ScriptedBudget(Arc::new(Mutex::new(State {
            allows: Sequence::new(),
            reason: Label::from_static(reason::BUDGET_DENIED),
            peekable: true,
            asks: Vec::new(),
            peeks: Vec::new(),
            outstanding: 0,
            released: 0,
        })))
    }

    /// Then `times` allowed attempts.
    #[must_use]
    pub fn then_allows(self, times: u32) -> Self {
        self.lock().allows.push(times, true);
        self
    }

    /// Then `times` denied attempts.
    #[must_use]
    pub fn then_denies(self, times: u32) -> Self {
        self.lock().allows.push(times, false);
        self
    }

    /// Denials give this reason, and not `budget_denied`.
    #[must_use]
    pub fn with_reason(self, reason: impl Into<Label>) -> Self {
        self.lock().reason = reason.into();
        self
    }

    /// A peek never foresees a denial, so that it comes only when the attempt would start.
    #[must_use]
    pub fn without_peek(self) -> Self {
        self.lock().peekable = false;
        self
    }

    /// Every attempt that asked to start, in order.
    #[must_use]
    pub fn asks(&self) -> Vec<BudgetAsk> {
        self.lock().asks.clone()
    }

    /// Every peek, in order.
    #[must_use]
    pub fn peeks(&self) -> Vec<BudgetAsk> {
        self.lock().peeks.clone()
    }

    /// Permits that were handed out and have not come back.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.lock().outstanding
    }

    /// Permits that have come back.
    #[must_use]
    pub fn released(&self) -> usize {
        self.lock().released
    }

    /// Asserts that every permit has come back.
    ///
    /// # Panics
    ///
    /// If one is still out.
    #[track_caller]
    pub fn assert_all_released(&self) {
        let state = self.lock();
        let (outstanding, asks) = (state.outstanding, state.asks.clone());
        drop(state);
        assert!(outstanding == 0, "{outstanding} permit(s) have not come back; asked so far: {asks:#?}");
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What the next attempt is told.
    fn next(&self, request: &BudgetRequest<'_>) -> BudgetAsk {
        BudgetAsk {
            key: request.key().clone(),
            attempt: request.attempt(),
            kind: request.kind(),
            cost: request.cost(),
            time_left: request.time_left(),
            allowed: self.allows.nth(self.asks.len()).copied().unwrap_or(true),
        }
    }
}

impl Budget for ScriptedBudget {
    fn allow_attempt(&self, request: &BudgetRequest<'_>) -> Decision {
        let mut state = self.lock();
        let ask = state.next(request);
        let allowed = ask.allowed;
        state.asks.push(ask);
        if !allowed {
            return Decision::deny(state.reason.clone());
        }
        state.outstanding += 1;
        let budget = self.clone();
        Decision::allow().with_release(move || {
            let mut state = budget.lock();
            state.outstanding -= 1;
            state.released += 1;
        })
    }

    fn would_deny(&self, request: &BudgetRequest<'_>) -> Option<Label> {
        let mut state = self.lock();
        let ask = state.next(request);
        let denies = state.peekable && !ask.allowed;
        state.peeks.push(BudgetAsk { allowed: !denies, ..ask });
        denies.then(|| state.reason.clone())
    }
}

impl fmt::Debug for ScriptedBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("ScriptedBudget")
            .field("asks", &state.asks.len())
            .field("outstanding", &state.outstanding)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use recourse_core::{Moment, Now};

    const KEY: Key = Key::from_static("svc.op");

    fn request(attempt: u32) -> BudgetRequest<'static> {
        BudgetRequest::new(const { &KEY }, attempt, AttemptKind::Retry, Now::at(Moment::ZERO)).with_cost(3)
    }

    #[test]
    fn steps_are_taken_by_attempts_and_the_last_one_repeats() {
        let budget = ScriptedBudget::denies(1).then_allows(2).then_denies(1);
        let told: Vec<bool> = (0..5).map(|attempt| budget.allow_attempt(&request(attempt)).allowed).collect();
        assert_eq!(told, [false, true, true, false, false]);
        assert_eq!(budget.released(), 2);
        assert_eq!((budget.asks()[4].attempt, budget.asks()[4].cost), (4, 3));
    }

    #[test]
    fn a_peek_foresees_the_next_answer_and_takes_nothing() {
        let budget = ScriptedBudget::denies(1).then_allows(1).with_reason("closed");
        assert_eq!(budget.would_deny(&request(0)).unwrap(), "closed");
        assert_eq!(budget.would_deny(&request(0)).unwrap(), "closed");
        assert_eq!(budget.allow_attempt(&request(0)).reason, "closed");
        assert_eq!(budget.would_deny(&request(1)), None);
        assert_eq!((budget.asks().len(), budget.peeks().len()), (1, 3));
    }

    #[test]
    fn without_peek_a_denial_is_not_foreseen() {
        let budget = ScriptedBudget::denies(1).without_peek();
        assert_eq!(budget.would_deny(&request(0)), None);
        assert!(!budget.allow_attempt(&request(0)).allowed);
    }

    #[test]
    #[should_panic(expected = "1 permit(s) have not come back")]
    fn a_permit_that_is_still_out_is_told() {
        let budget = ScriptedBudget::allows(1);
        let _decision = budget.allow_attempt(&request(0));
        budget.assert_all_released();
    }
}
