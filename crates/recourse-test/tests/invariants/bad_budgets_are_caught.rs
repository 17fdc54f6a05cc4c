//! Budgets that leak, give back too much, lie, or count in two steps.

use crate::{assert_caught, message};
use recourse_core::{AttemptEnd, Budget, BudgetRequest, Decision, Ending, Label, OutcomeKind};
use recourse_test::invariants::{budget_frees_what_has_ended, budget_gives_everything_back};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};

/// What is wrong with a budget.
#[derive(Clone, Copy, PartialEq)]
enum Flaw {
    None,
    KeepsRefunds,
    PeeksTake,
    PeeksLie,
    NoReason,
    PanicsAtLargeCosts,
    ChecksThenAdds,
    ForgetsTheCancelled,
    GatesUnasked,
}

/// Ten tokens; an attempt holds its cost until it has ended or was refunded.
struct Ten {
    flaw: Flaw,
    out: Arc<AtomicU64>,
}

impl Ten {
    fn with(flaw: Flaw) -> Self {
        Ten { flaw, out: Arc::default() }
    }

    fn take(&self, cost: u64) -> bool {
        if self.flaw == Flaw::ChecksThenAdds {
            let free = self.out.load(SeqCst) + cost <= 10;
            // Time enough for another thread to come in between.
            (0..20).for_each(|_| std::thread::yield_now());
            if free {
                self.out.fetch_add(cost, SeqCst);
            }
            return free;
        }
        let with = |out: u64| Some(out + cost).filter(|out| *out <= 10);
        self.out.fetch_update(SeqCst, SeqCst, with).is_ok()
    }

    fn give_back(&self, cost: u64) {
        let less = |out: u64| Some(out.saturating_sub(cost));
        _ = self.out.fetch_update(SeqCst, SeqCst, less);
    }
}

impl Budget for Ten {
    fn allow_attempt(&self, request: &BudgetRequest<'_>) -> Decision {
        if request.is_first_attempt() && self.flaw != Flaw::GatesUnasked {
            return Decision::allow();
        }
        assert!(self.flaw != Flaw::PanicsAtLargeCosts || request.cost() < 1_000, "too large");
        if self.take(u64::from(request.cost())) {
            return Decision::allow();
        }
        let mut denied = Decision::deny("ten_are_out");
        if self.flaw == Flaw::NoReason {
            denied.reason = Label::EMPTY;
        }
        denied
    }

    fn would_deny(&self, request: &BudgetRequest<'_>) -> Option<Label> {
        if request.is_first_attempt() {
            return None;
        }
        match self.flaw {
            Flaw::PeeksTake => (!self.take(u64::from(request.cost()))).then(|| "ten_are_out".into()),
            Flaw::PeeksLie => Some("not_really".into()),
            _ => None,
        }
    }

    fn refund(&self, request: &BudgetRequest<'_>) {
        if request.is_first_attempt() || self.flaw == Flaw::KeepsRefunds {
            return;
        }
        self.give_back(u64::from(request.cost()));
    }

    fn on_outcome(&self, end: &AttemptEnd<'_>) {
        let forgets = self.flaw == Flaw::ForgetsTheCancelled && end.ending == Ending::Cancelled;
        if !end.is_first_attempt() && !forgets {
            self.give_back(u64::from(end.cost));
        }
    }

    fn wants_first_attempts(&self) -> bool {
        false
    }
}

#[test]
fn a_good_one_passes() {
    budget_gives_everything_back(&Ten::with(Flaw::None));
    budget_frees_what_has_ended(&Ten::with(Flaw::None));
}

#[test]
fn a_refund_that_is_kept_is_caught() {
    assert_caught("10 attempts were granted and all given back, and then 0 were", || {
        budget_gives_everything_back(&Ten::with(Flaw::KeepsRefunds));
    });
}

/// Gives back more than it has: what is out, counted with a sign, goes below zero.
#[derive(Default)]
struct Generous(std::sync::atomic::AtomicI64);

impl Budget for Generous {
    fn allow_attempt(&self, request: &BudgetRequest<'_>) -> Decision {
        let with = |out| if out < 5 { Some(out + 1) } else { None };
        match request.is_first_attempt() || self.0.fetch_update(SeqCst, SeqCst, with).is_ok() {
            true => Decision::allow(),
            false => Decision::deny(""),
        }
    }
    fn refund(&self, request: &BudgetRequest<'_>) {
        if !request.is_first_attempt() {
            self.0.fetch_sub(2, SeqCst);
        }
    }
}

#[test]
fn a_refund_that_is_given_twice_is_caught() {
    assert_caught("5 attempts were granted and all given back, and then 10 were", || {
        budget_gives_everything_back(&Generous::default());
    });
}

/// A bucket that is never fuller than at the start, with what comes back for a cost.
struct Bucket {
    left: Arc<AtomicU32>,
    release: fn(u32) -> u32,
    refund: fn(u32) -> u32,
    end: fn(u32) -> u32,
}

const FULL: u32 = 20;

impl Bucket {
    fn giving_back(release: fn(u32) -> u32, refund: fn(u32) -> u32, end: fn(u32) -> u32) -> Self {
        Bucket { left: Arc::new(AtomicU32::new(FULL)), release, refund, end }
    }
}

fn put(left: &AtomicU32, tokens: u32) {
    let more = |left: u32| Some(left.saturating_add(tokens).min(FULL));
    _ = left.fetch_update(SeqCst, SeqCst, more);
}

impl Budget for Bucket {
    fn allow_attempt(&self, request: &BudgetRequest<'_>) -> Decision {
        let cost = request.cost();
        if request.is_first_attempt() {
            return Decision::allow();
        }
        if self.left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(cost)).is_err() {
            return Decision::deny("empty");
        }
        let (left, tokens) = (self.left.clone(), (self.release)(cost));
        Decision::allow().with_release(move || put(&left, tokens))
    }
    fn refund(&self, request: &BudgetRequest<'_>) {
        if !request.is_first_attempt() {
            put(&self.left, (self.refund)(request.cost()));
        }
    }
    fn on_outcome(&self, end: &AttemptEnd<'_>) {
        if !end.is_first_attempt() {
            put(&self.left, (self.end)(end.cost));
        }
    }
}

const NOTHING: fn(u32) -> u32 = |_| 0;
const ALL: fn(u32) -> u32 = |cost| cost;
const TWICE: fn(u32) -> u32 = |cost| cost.saturating_mul(2);

#[test]
fn what_is_given_back_twice_is_caught_though_the_budget_is_never_more_than_full() {
    for good in [Bucket::giving_back(NOTHING, ALL, ALL), Bucket::giving_back(ALL, NOTHING, NOTHING)] {
        budget_gives_everything_back(&good);
        budget_frees_what_has_ended(&good);
    }
    let squared: fn(u32) -> u32 = |cost| cost.saturating_mul(cost);
    for (bad, says) in [
        (Bucket::giving_back(NOTHING, TWICE, NOTHING), "cost: 1"),
        (Bucket::giving_back(TWICE, NOTHING, NOTHING), "cost: 1"),
        (Bucket::giving_back(ALL, ALL, NOTHING), "cost: 1"),
        (Bucket::giving_back(NOTHING, squared, NOTHING), "cost: 3"),
    ] {
        let message = message(|| budget_gives_everything_back(&bad));
        assert!(message.contains(says) && message.contains("when one had been refunded, "), "{message}");
    }
    for bad in [
        Bucket::giving_back(NOTHING, ALL, TWICE),
        Bucket::giving_back(TWICE, NOTHING, NOTHING),
        Bucket::giving_back(ALL, NOTHING, ALL),
    ] {
        assert_caught("all 20 were taken; when one had ended (won, Success), there was room for 2", || {
            budget_frees_what_has_ended(&bad);
        });
    }
}

#[test]
fn a_dear_attempt_that_frees_as_little_as_a_cheap_one_is_caught() {
    assert_caught("cost: 3, at: ", || {
        budget_frees_what_has_ended(&Bucket::giving_back(NOTHING, ALL, |_| 1));
    });
}

#[test]
fn a_peek_that_takes_is_caught() {
    assert_caught("a peek said None, and the next one Some", || {
        budget_gives_everything_back(&Ten::with(Flaw::PeeksTake));
    });
}

#[test]
fn a_denial_that_was_foretold_and_does_not_come_is_caught() {
    assert_caught("and the attempt was allowed", || {
        budget_gives_everything_back(&Ten::with(Flaw::PeeksLie));
    });
}

#[test]
fn a_first_attempt_that_is_denied_though_it_is_not_asked_about_is_caught() {
    assert_caught("a budget that doesn't want first attempts denied one", || {
        budget_gives_everything_back(&Ten::with(Flaw::GatesUnasked));
    });
}

#[test]
fn a_denial_without_a_reason_is_caught() {
    assert_caught("it was denied without a reason", || {
        budget_gives_everything_back(&Ten::with(Flaw::NoReason));
    });
}

#[test]
fn a_number_that_makes_it_panic_is_caught() {
    assert_caught("it panicked in allow_attempt: Ask { attempt: 1, kind: Retry, cost: 4294967295", || {
        budget_gives_everything_back(&Ten::with(Flaw::PanicsAtLargeCosts));
    });
}

#[test]
fn a_check_before_the_count_is_caught_by_threads() {
    assert_caught("4 threads that asked at once got", || {
        budget_gives_everything_back(&Ten::with(Flaw::ChecksThenAdds));
    });
}

#[test]
fn an_end_that_frees_nothing_is_caught() {
    assert_caught("there was room for 10; when all had ended (cancelled, Abort), for 0", || {
        budget_frees_what_has_ended(&Ten::with(Flaw::ForgetsTheCancelled));
    });
}

/// A little room, which one ending doesn't free.
struct Leaky {
    room: u32,
    leak: (Ending, OutcomeKind),
    out: AtomicU32,
}

impl Budget for Leaky {
    fn allow_attempt(&self, request: &BudgetRequest<'_>) -> Decision {
        let with = |out| Some(out + 1).filter(|out| *out <= self.room);
        match request.is_first_attempt() || self.out.fetch_update(SeqCst, SeqCst, with).is_ok() {
            true => Decision::allow(),
            false => Decision::deny("no_room"),
        }
    }
    fn on_outcome(&self, end: &AttemptEnd<'_>) {
        if !end.is_first_attempt() && (end.ending, end.outcome.kind) != self.leak {
            self.out.fetch_sub(1, SeqCst);
        }
    }
}

#[test]
fn a_leak_at_any_ending_is_caught_however_little_room_there_is() {
    for room in [1, 2, 3, 7] {
        for leak in [
            (Ending::Won, OutcomeKind::Success),
            (Ending::Failed, OutcomeKind::Retryable),
            (Ending::Failed, OutcomeKind::NonRetryable),
            (Ending::Failed, OutcomeKind::Unknown),
            (Ending::TimedOut, OutcomeKind::Retryable),
            (Ending::Superseded, OutcomeKind::Abort),
            (Ending::Cancelled, OutcomeKind::Abort),
            (Ending::Panicked, OutcomeKind::Abort),
        ] {
            let (ending, kind) = leak;
            let says = format!("there was room for {room}; when all had ended ({ending}, {kind:?}), for 0");
            assert_caught(&says, || {
                budget_frees_what_has_ended(&Leaky { room, leak, out: AtomicU32::new(0) });
            });
        }
    }
}

/// Much room, none of which comes back.
#[derive(Default)]
struct Leaks {
    out: AtomicU64,
}

impl Budget for Leaks {
    fn allow_attempt(&self, request: &BudgetRequest<'_>) -> Decision {
        match request.is_first_attempt() || self.out.fetch_add(1, SeqCst) < 50_000 {
            true => Decision::allow(),
            false => Decision::deny("too_many"),
        }
    }
}

#[test]
fn a_leak_is_caught_also_where_there_is_much_room() {
    assert_caught("2000 attempts were granted and all given back 25 times, and then 0 were", || {
        budget_gives_everything_back(&Leaks::default());
    });
    assert_caught("there was room for 2000; when all had ended (won, Success) 25 times, for 0", || {
        budget_frees_what_has_ended(&Leaks::default());
    });
}
