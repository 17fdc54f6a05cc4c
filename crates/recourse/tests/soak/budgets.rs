//! Random budgets, each watched.

use crate::dice::Dice;
use crate::mood::Mood;
use crate::moody::Moody;
use recourse::budget::{
    AdaptiveThrottle, AllOf, AnyOf, InFlight, Observing, Quota, RetryRatio, Throttle, TokenBucket, Unlimited,
};
use recourse::{AttemptEnd, Budget, BudgetRequest, Decision, Ending};
use recourse_test::WatchedBudget;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Makes budgets, and remembers those that must be empty when nothing runs.
#[derive(Clone)]
pub(crate) struct Budgets {
    dice: Dice,
    mood: Mood,
    pub(crate) watched: Vec<WatchedBudget>,
    in_flight: Vec<Arc<InFlight>>,
    permits: Vec<Permits>,
    /// Attempts that were told as dropped.
    dropped: Arc<AtomicU64>,
}

impl Budgets {
    pub(crate) fn new(dice: &Dice, mood: &Mood) -> Self {
        let (watched, in_flight, permits, dropped) = Default::default();
        Budgets { dice: dice.clone(), mood: mood.clone(), watched, in_flight, permits, dropped }
    }

    /// A budget to register.
    pub(crate) fn make(&mut self) -> WatchedBudget {
        let budget = WatchedBudget::new(Listening { inner: self.any(2), dropped: self.dropped.clone() });
        self.watched.push(budget.clone());
        budget
    }

    /// Attempts that some budget was told of as dropped.
    pub(crate) fn told_as_dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    /// Nothing is out.
    pub(crate) fn assert_settled(&self) {
        for budget in &self.watched {
            budget.assert_settled();
        }
        for budget in &self.in_flight {
            assert_eq!((budget.first_attempts(), budget.extras()), (0, 0), "in flight: {budget:?}");
        }
        for permits in &self.permits {
            assert_eq!(permits.out.load(Relaxed), 0, "permits that are out");
        }
    }

    fn any(&mut self, depth: u32) -> Arc<dyn Budget> {
        let plain = self.plain(depth);
        match self.mood.is_calm() || self.dice.chance(0.5) {
            true => plain,
            false => Arc::new(Moody::new(&self.mood, plain)),
        }
    }

    fn plain(&mut self, depth: u32) -> Arc<dyn Budget> {
        let dice = self.dice.clone();
        let ok = "the numbers are allowed";
        match dice.below(if depth > 0 { 12 } else { 8 }) {
            0 => {
                let bucket =
                    TokenBucket::new(dice.small(1, 20), dice.pick(&[0.0, 0.5, 10.0, 1e6])).expect(ok);
                Arc::new(if dice.chance(0.2) { bucket.gate_first_attempts() } else { bucket })
            }
            1 => {
                let ratio = RetryRatio::new(dice.pick(&[0.001, 0.1, 0.5, 10.0])).expect(ok);
                let ratio = ratio.with_reserve(dice.pick(&[0.0, 1.0])).expect(ok);
                let ratio = ratio.with_ttl(Duration::from_secs(dice.number(1, 10))).expect(ok);
                Arc::new(ratio.with_initial(dice.small(0, 5)))
            }
            2 => Arc::new(Throttle::new(dice.small(1, 20), dice.pick(&[0.001, 0.1, 2.0])).expect(ok)),
            3 => Arc::new(Quota::new(dice.small(20, 100), 5, dice.small(5, 20)).expect(ok)),
            4 => {
                let budget =
                    Arc::new(InFlight::new(dice.pick(&[0.0, 0.2, 0.9]), dice.small(1, 3)).expect(ok));
                self.in_flight.push(budget.clone());
                budget
            }
            5 => {
                let throttle = AdaptiveThrottle::new().with_seed(dice.number(0, u64::MAX));
                let throttle = throttle.with_window(Duration::from_secs(dice.number(1, 30))).expect(ok);
                Arc::new(if dice.chance(0.5) { throttle.spare_first_attempts() } else { throttle })
            }
            6 => Arc::new(Unlimited),
            7 => {
                let permits =
                    Permits { most: dice.number(1, 6), out: Arc::default(), blind: dice.chance(0.5) };
                self.permits.push(permits.clone());
                Arc::new(permits)
            }
            8 | 9 => Arc::new(AllOf::new(self.some(depth - 1)).expect(ok)),
            10 => Arc::new(AnyOf::new(self.some(depth - 1)).expect(ok)),
            _ => Arc::new(Observing::new(self.any(depth - 1))),
        }
    }

    fn some(&mut self, depth: u32) -> Vec<Arc<dyn Budget>> {
        (0..self.dice.number(1, 3)).map(|_| self.any(depth)).collect()
    }
}

/// Counts the attempts that were dropped.
struct Listening {
    inner: Arc<dyn Budget>,
    dropped: Arc<AtomicU64>,
}

impl Budget for Listening {
    fn allow_attempt(&self, request: &BudgetRequest<'_>) -> Decision {
        self.inner.allow_attempt(request)
    }
    fn would_deny(&self, request: &BudgetRequest<'_>) -> Option<recourse::Label> {
        self.inner.would_deny(request)
    }
    fn refund(&self, request: &BudgetRequest<'_>) {
        self.inner.refund(request);
    }
    fn on_outcome(&self, end: &AttemptEnd<'_>) {
        self.dropped.fetch_add(u64::from(end.ending == Ending::Cancelled), Relaxed);
        self.inner.on_outcome(end);
    }
    fn wants_outcomes(&self) -> bool {
        self.inner.wants_outcomes()
    }
    fn wants_first_attempts(&self) -> bool {
        self.inner.wants_first_attempts()
    }
}

/// So many attempts at once, first ones included, each with a release.
#[derive(Clone)]
struct Permits {
    most: u64,
    out: Arc<AtomicU64>,
    /// A denial isn't foreseen.
    blind: bool,
}

impl Budget for Permits {
    fn allow_attempt(&self, _: &BudgetRequest<'_>) -> Decision {
        if self.out.load(Relaxed) >= self.most {
            return Decision::deny("no_permit");
        }
        self.out.fetch_add(1, Relaxed);
        let out = self.out.clone();
        Decision::allow().with_release(move || _ = out.fetch_sub(1, Relaxed))
    }
    fn would_deny(&self, _: &BudgetRequest<'_>) -> Option<recourse::Label> {
        (!self.blind && self.out.load(Relaxed) >= self.most).then(|| "no_permit".into())
    }
    fn wants_outcomes(&self) -> bool {
        false
    }
}
