//! What every budget must keep to.

use super::unwinding::survives;
use recourse_core::{
    AttemptEnd, AttemptKind, Budget, BudgetRequest, Decision, Ending, Key, Moment, Now, Outcome,
};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Barrier;
use std::time::Duration;

static KEY: Key = Key::from_static("invariants.Check");

/// A budget is asked for no more than this at one moment.
const MOST: usize = 2_000;

/// How often that many are taken and given back.
const REPEATS: u32 = 50;

/// Extras that are asked for, with their cost.
const KINDS: [(AttemptKind, u32); 3] =
    [(AttemptKind::Retry, 1), (AttemptKind::Hedge, 1), (AttemptKind::Retry, 3)];

/// Threads that ask at once.
const THREADS: usize = 4;

/// How often they do.
const ROUNDS: usize = 50;

/// Asserts that a budget's peek is true: that it says the same when it is asked again, and that a denial which it foretold
/// comes; that each denial has a reason; that one which
/// [doesn't want first attempts](Budget::wants_first_attempts) allows each of them and holds nothing for it; and that no
/// cost, index or moment makes the budget panic. The budget is fed with
/// first attempts that succeed, before.
///
/// # Panics
///
/// If that is not so.
#[track_caller]
pub fn budget_peeks_truly(budget: &dyn Budget) {
    feed(budget);
    for (kind, cost) in KINDS {
        Ask { attempt: 1, kind, cost, at: noon() }.grants_then(budget, &Back::Refunded);
    }
    first_attempts_are_free(budget);
    extremes(budget);
}

/// Asserts that a budget gives back all that was never sent, and no more than that: that retries, hedges and dearer
/// attempts which are refunded leave as much as there was before; that where all is taken, one that is refunded makes room
/// for exactly one of its kind and cost; and that threads which ask at once get together no more than one would. Its
/// [peek must be true](budget_peeks_truly) as well.
///
/// All happens at one moment, so it may be a budget that time refills. It is asked for 2,000 grants at most, and what is
/// given back twice shows where there are fewer, and at least two: build it small. One that draws lots has no fixed number
/// of grants, and one that denies until several have come back has no room for exactly one: they are none for this check.
///
/// # Panics
///
/// If that is not so. A budget that checks and then adds, in two steps, is found out by the threads nearly always, but
/// not for certain.
#[track_caller]
pub fn budget_gives_everything_back(budget: &dyn Budget) {
    feed(budget);
    for (kind, cost) in KINDS {
        let ask = Ask { attempt: 1, kind, cost, at: noon() };
        let before = ask.grants_then(budget, &Back::Refunded);
        // Where there is much, a leak shows after a while.
        for round in 1..=if before < MOST { 1 } else { REPEATS } {
            let after = ask.grants_then(budget, &Back::Refunded);
            assert!(
                before == after,
                "{ask:?}: {before} attempts were granted and all given back{}, and then {after} were",
                times(round)
            );
        }
        if before < MOST {
            one_makes_room_for_one(budget, ask, &Back::Refunded);
            threads_get_no_more(budget, ask, before);
        }
    }
    first_attempts_are_free(budget);
    extremes(budget);
}

/// Asserts that a budget which bounds what runs at once has all its room back when attempts have ended, in whatever way:
/// all its room is taken and comes back in one way, and then in the next. Where all is taken, one that has ended makes room
/// for exactly one; two or more show where there is room for at least two and fewer than 2,000.
///
/// A budget that spends on what was sent, such as a token bucket, is no such budget.
///
/// # Panics
///
/// If that is not so; with the way.
#[track_caller]
pub fn budget_frees_what_has_ended(budget: &dyn Budget) {
    for (kind, cost) in KINDS {
        let ask = Ask { attempt: 1, kind, cost, at: noon() };
        for back in endings() {
            let room = ask.grants_then(budget, &back);
            // Where there is much room, a leak shows after a while.
            for round in 1..=if room < MOST { 1 } else { REPEATS } {
                let freed = ask.grants_then(budget, &back);
                assert!(
                    room == freed,
                    "{ask:?}: there was room for {room}; when all had {back}{}, for {freed}",
                    times(round)
                );
            }
            if room < MOST {
                one_makes_room_for_one(budget, ask, &back);
            }
        }
    }
}

/// Each way in which an attempt that was sent can end.
fn endings() -> [Back; 8] {
    [
        Back::Ended(Ending::Won, Outcome::success()),
        Back::Ended(Ending::Failed, Outcome::retryable("")),
        Back::Ended(Ending::Failed, Outcome::non_retryable("")),
        Back::Ended(Ending::Failed, Outcome::unknown()),
        Back::Ended(Ending::TimedOut, Outcome::retryable("context_deadline_exceeded")),
        Back::Ended(Ending::Superseded, Outcome::abort("context_canceled")),
        Back::Ended(Ending::Cancelled, Outcome::abort("context_canceled")),
        Back::Ended(Ending::Panicked, Outcome::abort("panic_in_operation")),
    ]
}

fn times(round: u32) -> String {
    if round == 1 { String::new() } else { format!(" {round} times") }
}

fn noon() -> Moment {
    Moment::ZERO + Duration::from_secs(12 * 3600)
}

/// A hundred first attempts succeed.
fn feed(budget: &dyn Budget) {
    let ask = Ask { attempt: 0, kind: AttemptKind::Retry, cost: 1, at: noon() };
    let won = Back::Ended(Ending::Won, Outcome::success());
    for _ in 0..100 {
        if let Some(decision) = ask.ask(budget) {
            ask.give_back(budget, decision, &won);
        }
    }
}

/// How an attempt that was allowed comes back.
enum Back {
    Refunded,
    Ended(Ending, Outcome),
}

impl fmt::Display for Back {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Back::Refunded => f.write_str("been refunded"),
            Back::Ended(ending, outcome) => write!(f, "ended ({ending}, {:?})", outcome.kind),
        }
    }
}

/// An attempt that asks to start.
#[derive(Clone, Copy, Debug)]
struct Ask {
    attempt: u32,
    kind: AttemptKind,
    cost: u32,
    at: Moment,
}

impl Ask {
    fn with<R>(self, use_it: impl FnOnce(&BudgetRequest<'_>) -> R) -> R {
        let request = BudgetRequest::new(&KEY, self.attempt, self.kind, Now::at(self.at));
        use_it(&request.with_cost(self.cost))
    }

    /// Peeks twice and asks; nothing else happens in between.
    #[track_caller]
    fn ask(self, budget: &dyn Budget) -> Option<Decision> {
        let peek = || {
            self.with(|request| survives(format_args!("would_deny: {self:?}"), || budget.would_deny(request)))
        };
        let (foretold, again) = (peek(), peek());
        assert!(foretold == again, "{self:?}: a peek said {foretold:?}, and the next one {again:?}");
        let decision = self.ask_blindly(budget);
        let denial = (!decision.allowed).then(|| decision.reason.clone());
        assert!(
            foretold.is_none() || denial.is_some(),
            "{self:?}: a peek foretold the denial {foretold:?}, and the attempt was allowed"
        );
        assert!(denial.is_none_or(|reason| !reason.is_empty()), "{self:?}: it was denied without a reason");
        decision.allowed.then_some(decision)
    }

    #[track_caller]
    fn ask_blindly(self, budget: &dyn Budget) -> Decision {
        self.with(|request| {
            survives(format_args!("allow_attempt: {self:?}"), || budget.allow_attempt(request))
        })
    }

    /// All that there is, up to [`MOST`].
    #[track_caller]
    fn grants(self, budget: &dyn Budget) -> Vec<Decision> {
        std::iter::from_fn(|| self.ask(budget)).take(MOST).collect()
    }

    #[track_caller]
    fn grants_then(self, budget: &dyn Budget, back: &Back) -> usize {
        let grants = self.grants(budget);
        let count = grants.len();
        grants.into_iter().for_each(|decision| self.give_back(budget, decision, back));
        count
    }

    /// As the executor does it: the release, and right behind it the word.
    #[track_caller]
    fn give_back(self, budget: &dyn Budget, decision: Decision, back: &Back) {
        survives(format_args!("a release: {self:?}"), || drop(decision));
        match back {
            Back::Refunded => {
                self.with(|request| survives(format_args!("refund: {self:?}"), || budget.refund(request)));
            }
            Back::Ended(ending, outcome) => {
                let now = Now::at(self.at);
                let end = AttemptEnd::new(&KEY, self.attempt, self.kind, *ending, outcome, &now);
                let end = end.with_cost(self.cost);
                survives(format_args!("on_outcome: {self:?}, {ending}"), || budget.on_outcome(&end));
            }
        }
    }
}

/// Each of what was taken comes back alone. Where all come back together, a budget that can't hold more than all hides what
/// it was given twice.
#[track_caller]
fn one_makes_room_for_one(budget: &dyn Budget, ask: Ask, back: &Back) {
    let mut taken = VecDeque::from(ask.grants(budget));
    let (all, mut room) = (taken.len(), 1);
    for _ in 0..all {
        taken.pop_front().into_iter().for_each(|first| ask.give_back(budget, first, back));
        let more = ask.grants(budget);
        room = more.len();
        taken.extend(more);
        if room != 1 {
            break;
        }
    }
    taken.into_iter().for_each(|decision| ask.give_back(budget, decision, back));
    assert!(room == 1, "{ask:?}: all {all} were taken; when one had {back}, there was room for {room}");
}

/// Threads that ask at the same time get together no more than there is.
#[track_caller]
fn threads_get_no_more(budget: &dyn Budget, ask: Ask, there_is: usize) {
    for _ in 0..ROUNDS {
        let start = Barrier::new(THREADS);
        let granted: usize = std::thread::scope(|scope| {
            let take = || {
                start.wait();
                let granted = std::iter::from_fn(|| Some(ask.ask_blindly(budget)).filter(|it| it.allowed));
                let granted: Vec<_> = granted.take(MOST).collect();
                let count = granted.len();
                start.wait();
                granted.into_iter().for_each(|decision| ask.give_back(budget, decision, &Back::Refunded));
                count
            };
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(take)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap_or(0)).sum()
        });
        assert!(
            granted <= there_is,
            "{ask:?}: {THREADS} threads that asked at once got {granted} grants, and there were {there_is}"
        );
    }
    let left = ask.grants_then(budget, &Back::Refunded);
    assert!(left == there_is, "{ask:?}: there were {there_is} grants; after threads gave all back, {left}");
}

/// Where it says that it has nothing to do with them; also when it is spent.
#[track_caller]
fn first_attempts_are_free(budget: &dyn Budget) {
    if budget.wants_first_attempts() {
        return;
    }
    let extra = Ask { attempt: 1, kind: AttemptKind::Retry, cost: 1, at: noon() };
    let first = Ask { attempt: 0, ..extra };
    let spent = extra.grants(budget);
    let decision = first.ask(budget);
    assert!(decision.is_some(), "{first:?}: a budget that doesn't want first attempts denied one");
    assert!(
        decision.is_none_or(|decision| decision.release.is_none()),
        "{first:?}: a budget that doesn't want first attempts holds something for one"
    );
    spent.into_iter().for_each(|decision| extra.give_back(budget, decision, &Back::Refunded));
}

/// Numbers and moments that nobody sends, and a clock that jumps.
#[track_caller]
fn extremes(budget: &dyn Budget) {
    let moments = [Moment::ZERO, Moment::from_nanos(u64::MAX), noon(), Moment::from_nanos(1)];
    let late = Back::Ended(Ending::TimedOut, Outcome::abort(""));
    for (attempt, cost) in [(0, 1), (1, u32::MAX), (u32::MAX, 1), (u32::MAX, u32::MAX), (1, 0)] {
        for kind in [AttemptKind::Retry, AttemptKind::Hedge] {
            for at in moments {
                let ask = Ask { attempt, kind, cost, at };
                if let Some(decision) = ask.ask(budget) {
                    ask.give_back(budget, decision, &Back::Refunded);
                }
                if let Some(decision) = ask.ask(budget) {
                    ask.give_back(budget, decision, &late);
                }
            }
        }
    }
}
