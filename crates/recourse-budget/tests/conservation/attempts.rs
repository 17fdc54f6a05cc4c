//! Attempts as scripts have them: asked for, under way, ended or given back.

use proptest::prelude::*;
use recourse_budget::{
    AdaptiveThrottle, AllOf, AnyOf, InFlight, Observing, Quota, RetryRatio, Throttle, TokenBucket, Unlimited,
};
use recourse_core::{
    AttemptEnd, AttemptKind, Budget, BudgetRequest, Decision, Ending, Key, Moment, Now, Outcome, reason,
};
use std::sync::Arc;

static KEY: Key = Key::from_static("svc.op");

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt {
    pub(crate) index: u32,
    pub(crate) kind: AttemptKind,
    pub(crate) cost: u32,
    pub(crate) after_timeout: bool,
}

impl Attempt {
    pub(crate) const FIRST: Attempt =
        Attempt { index: 0, kind: AttemptKind::Retry, cost: 1, after_timeout: false };
    pub(crate) const RETRY: Attempt = Attempt { index: 1, ..Attempt::FIRST };
    pub(crate) const RETRY_OF_TIMEOUT: Attempt = Attempt { after_timeout: true, ..Attempt::RETRY };
    pub(crate) const HEDGE: Attempt = Attempt { kind: AttemptKind::Hedge, ..Attempt::FIRST };

    pub(crate) fn costing(self, cost: u32) -> Self {
        Attempt { cost, ..self }
    }

    pub(crate) fn is_first(self) -> bool {
        self.index == 0 && self.kind == AttemptKind::Retry
    }

    pub(crate) fn request(self, nanos: u64) -> BudgetRequest<'static> {
        BudgetRequest::new(&KEY, self.index, self.kind, Now::at(Moment::from_nanos(nanos)))
            .with_cost(self.cost)
            .with_after_timeout(self.after_timeout)
    }

    /// Asks, and checks that the peek before says the same.
    pub(crate) fn ask(self, budget: &dyn Budget, nanos: u64) -> Decision {
        let foretold = budget.would_deny(&self.request(nanos));
        let decision = self.ask_for_a_lot(budget, nanos);
        assert_eq!(foretold.is_none(), decision.allowed, "the peek and the decision differ: {self:?}");
        decision
    }

    /// Asks, and checks that what the peek before foretells comes true.
    pub(crate) fn ask_for_a_lot(self, budget: &dyn Budget, nanos: u64) -> Decision {
        let request = self.request(nanos);
        let (once, twice) = (budget.would_deny(&request), budget.would_deny(&request));
        assert_eq!(once, twice, "a peek changed something");
        let decision = budget.allow_attempt(&request);
        if let Some(denial) = once {
            assert_eq!((denial, decision.allowed), (decision.reason.clone(), false));
        }
        decision
    }

    /// The executor's order: the release first, then the end.
    pub(crate) fn end(self, budget: &dyn Budget, decision: Decision, how: How) {
        drop(decision);
        let (ending, outcome) = how.told();
        let now = Now::at(Moment::ZERO);
        let end = AttemptEnd::new(&KEY, self.index, self.kind, ending, &outcome, &now);
        budget.on_outcome(&end.with_cost(self.cost).with_after_timeout(self.after_timeout));
    }

    /// The release first, then the refund.
    pub(crate) fn refund(self, budget: &dyn Budget, decision: Decision) {
        drop(decision);
        budget.refund(&self.request(0));
    }
}

/// How an attempt ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum How {
    Success,
    Failure,
    Fault,
    Timeout,
    Deadline,
    Loser,
    Drop,
    Panic,
}

impl How {
    fn told(self) -> (Ending, Outcome) {
        match self {
            How::Success => (Ending::Won, Outcome::success()),
            How::Failure => (Ending::Failed, Outcome::retryable("http_5xx")),
            How::Fault => (Ending::Failed, Outcome::non_retryable("")),
            How::Timeout => (Ending::TimedOut, Outcome::retryable(reason::CONTEXT_DEADLINE_EXCEEDED)),
            How::Deadline => (Ending::TimedOut, Outcome::abort(reason::OVERALL_TIMEOUT)),
            How::Loser => (Ending::Superseded, Outcome::abort(reason::CONTEXT_CANCELED)),
            How::Drop => (Ending::Cancelled, Outcome::abort(reason::CONTEXT_CANCELED)),
            How::Panic => (Ending::Panicked, Outcome::abort(reason::PANIC_IN_OPERATION)),
        }
    }
}

pub(crate) fn how() -> impl Strategy<Value = How> {
    prop::sample::select(vec![
        How::Success,
        How::Failure,
        How::Fault,
        How::Timeout,
        How::Deadline,
        How::Loser,
        How::Drop,
        How::Panic,
    ])
}

/// A line of a script. `which` picks one of the attempts under way.
#[derive(Clone, Debug)]
pub(crate) enum Line {
    Ask(Attempt),
    End {
        which: usize,
        how: How,
    },
    Refund {
        which: usize,
    },
    /// The clock reads this from now on.
    Time(u64),
}

/// Scripts whose attempts cost `cost` and whose clock reads `time`, in any order.
pub(crate) fn script(
    cost: impl Strategy<Value = u32> + Clone + 'static,
    time: impl Strategy<Value = u64> + Clone + 'static,
) -> impl Strategy<Value = Vec<Line>> {
    let asked = prop::sample::select(vec![
        Attempt::FIRST,
        Attempt::FIRST,
        Attempt::RETRY,
        Attempt::RETRY_OF_TIMEOUT,
        Attempt::HEDGE,
    ]);
    let line = prop_oneof![
        6 => (asked, cost).prop_map(|(attempt, cost)| Line::Ask(attempt.costing(cost))),
        3 => (any::<usize>(), how()).prop_map(|(which, how)| Line::End { which, how }),
        1 => any::<usize>().prop_map(|which| Line::Refund { which }),
        1 => time.prop_map(Line::Time),
    ];
    prop::collection::vec(line, 0..200)
}

/// What a script does to a budget, line by line.
pub(crate) enum Done {
    Allowed(Attempt),
    Denied(Attempt),
    Ended(Attempt, How),
    Refunded(Attempt),
}

/// Plays a script, then ends what is still under way as a dropped call would. `check` sees each step and the clock.
pub(crate) fn play(budget: &dyn Budget, lines: &[Line], check: impl FnMut(Done, u64)) {
    play_asking(Attempt::ask, budget, lines, check);
}

/// The same, asking in this way.
pub(crate) fn play_asking(
    ask: fn(Attempt, &dyn Budget, u64) -> Decision,
    budget: &dyn Budget,
    lines: &[Line],
    mut check: impl FnMut(Done, u64),
) {
    let (mut now, mut under_way) = (0, Vec::new());
    for line in lines {
        match line {
            Line::Time(nanos) => now = *nanos,
            Line::Ask(attempt) => {
                let decision = ask(*attempt, budget, now);
                if decision.allowed {
                    under_way.push((*attempt, decision));
                    check(Done::Allowed(*attempt), now);
                } else {
                    check(Done::Denied(*attempt), now);
                }
            }
            Line::End { which, how } if !under_way.is_empty() => {
                let (attempt, decision) = under_way.swap_remove(which % under_way.len());
                attempt.end(budget, decision, *how);
                check(Done::Ended(attempt, *how), now);
            }
            Line::Refund { which } if !under_way.is_empty() => {
                let (attempt, decision) = under_way.swap_remove(which % under_way.len());
                attempt.refund(budget, decision);
                check(Done::Refunded(attempt), now);
            }
            _ => {}
        }
    }
    for (attempt, decision) in under_way {
        attempt.end(budget, decision, How::Drop);
        check(Done::Ended(attempt, How::Drop), now);
    }
}

/// The one that draws lots.
pub(crate) fn adaptive() -> Arc<dyn Budget> {
    Arc::new(AdaptiveThrottle::new().with_seed(3))
}

/// One of each other, and some of each within each other.
pub(crate) fn one_of_each() -> Vec<Arc<dyn Budget>> {
    let bucket = || -> Arc<dyn Budget> { Arc::new(TokenBucket::new(5, 1.0).unwrap()) };
    let ratio = || -> Arc<dyn Budget> { Arc::new(RetryRatio::new(0.5).unwrap().with_reserve(1.0).unwrap()) };
    let in_flight = || -> Arc<dyn Budget> { Arc::new(InFlight::default()) };
    let quota = || -> Arc<dyn Budget> { Arc::new(Quota::default()) };
    let any = || -> Arc<dyn Budget> { Arc::new(AnyOf::new([bucket(), in_flight(), quota()]).unwrap()) };
    let all = || -> Arc<dyn Budget> { Arc::new(AllOf::new([ratio(), any(), in_flight()]).unwrap()) };
    vec![
        bucket(),
        Arc::new(TokenBucket::new(u32::MAX, 1e9).unwrap().gate_first_attempts()),
        ratio(),
        Arc::new(RetryRatio::new(10.0).unwrap().with_initial(u32::MAX)),
        Arc::new(Throttle::new(10, 0.1).unwrap()),
        quota(),
        in_flight(),
        any(),
        all(),
        Arc::new(AnyOf::new([all(), bucket(), any()]).unwrap()),
        Arc::new(Observing::new(in_flight())),
        Arc::new(AllOf::new([Arc::new(Observing::new(any())) as Arc<dyn Budget>, quota()]).unwrap()),
        Arc::new(Unlimited),
    ]
}
