//! All of, any of, and observing: who is charged, who hears of the end, and what a panic leaves behind.

use crate::attempts::{Attempt, Done, How, play, script};
use proptest::prelude::*;
use recourse_budget::{
    AllOf, AnyOf, InFlight, OBSERVED_DENIAL, OBSERVED_PANIC, Observing, RetryRatio, Throttle, TokenBucket,
    Unlimited,
};
use recourse_core::{AttemptEnd, Budget, BudgetRequest, Decision, Label, Moment};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

fn bucket(tokens: u32) -> Arc<TokenBucket> {
    Arc::new(TokenBucket::new(tokens, 0.0).unwrap())
}

fn in_flight(extras: u32) -> Arc<InFlight> {
    Arc::new(InFlight::new(0.0, extras).unwrap())
}

fn left(bucket: &TokenBucket) -> u64 {
    bucket.available(Moment::ZERO)
}

/// Answers as it is told to, holds a release for what it allows, and writes down what it hears.
#[derive(Default)]
struct Recorder {
    answer: Mutex<&'static str>,
    held: Arc<AtomicI64>,
    ends: AtomicI64,
    refunds: AtomicI64,
}

impl Recorder {
    fn answering(answer: &'static str) -> Arc<Self> {
        Arc::new(Recorder { answer: Mutex::new(answer), ..Recorder::default() })
    }

    fn heard(&self) -> (i64, i64, i64) {
        (self.held.load(SeqCst), self.ends.load(SeqCst), self.refunds.load(SeqCst))
    }

    fn denial(&self) -> Option<&'static str> {
        let answer = *self.answer.lock().unwrap();
        assert!(answer != "panic", "scripted panic");
        (!answer.is_empty()).then_some(answer)
    }
}

impl Budget for Recorder {
    fn allow_attempt(&self, _: &BudgetRequest<'_>) -> Decision {
        if let Some(denial) = self.denial() {
            return Decision::deny(denial);
        }
        self.held.fetch_add(1, SeqCst);
        let held = self.held.clone();
        Decision::allow().with_release(move || _ = held.fetch_sub(1, SeqCst))
    }
    fn would_deny(&self, _: &BudgetRequest<'_>) -> Option<Label> {
        self.denial().map(Label::from_static)
    }
    fn refund(&self, _: &BudgetRequest<'_>) {
        self.refunds.fetch_add(1, SeqCst);
    }
    fn on_outcome(&self, _: &AttemptEnd<'_>) {
        self.ends.fetch_add(1, SeqCst);
    }
}

#[test]
fn all_of_takes_from_all_or_none() {
    let (rich, poor, last) = (bucket(10), bucket(2), Recorder::answering(""));
    let budget = AllOf::new([rich.clone() as Arc<dyn Budget>, poor.clone(), last.clone()]).unwrap();
    assert_eq!((0..5).filter(|_| Attempt::RETRY.ask(&budget, 0).allowed).count(), 2);
    assert_eq!((left(&rich), left(&poor)), (8, 0));

    *last.answer.lock().unwrap() = "own_code";
    let again = AllOf::new([rich.clone() as Arc<dyn Budget>, last.clone()]).unwrap();
    assert_eq!(Attempt::RETRY.ask(&again, 0).reason, "own_code");
    assert_eq!((left(&rich), last.heard()), (8, (0, 0, 0)));
}

#[test]
fn all_of_releases_and_refunds_what_came_before_a_denial() {
    let before = [Recorder::answering(""), Recorder::answering("")];
    let (denies, after) = (Recorder::answering("no"), Recorder::answering(""));
    let members: [Arc<dyn Budget>; 4] = [before[0].clone(), before[1].clone(), denies.clone(), after.clone()];
    let budget = AllOf::new(members).unwrap();
    assert_eq!(Attempt::RETRY.ask(&budget, 0).reason, "no");
    before.iter().for_each(|budget| assert_eq!(budget.heard(), (0, 0, 1)));
    assert_eq!((denies.heard(), after.heard()), ((0, 0, 0), (0, 0, 0)));

    *denies.answer.lock().unwrap() = "";
    let decision = Attempt::RETRY.ask(&budget, 0);
    assert_eq!((before[1].heard().0, after.heard().0), (1, 1));
    Attempt::RETRY.end(&budget, decision, How::Success);
    assert_eq!((before[1].heard(), after.heard()), ((0, 1, 1), (0, 1, 0)));
}

#[test]
fn a_panic_in_a_member_leaves_nothing_taken() {
    for attempt in [Attempt::FIRST, Attempt::RETRY] {
        let (tokens, recorder, panics) = (bucket(3), Recorder::answering(""), Recorder::answering("panic"));
        let members: [Arc<dyn Budget>; 3] = [tokens.clone(), recorder.clone(), panics];
        let all = AllOf::new(members.clone()).unwrap();
        let request = attempt.request(0);
        assert!(catch_unwind(AssertUnwindSafe(|| all.allow_attempt(&request))).is_err());
        assert_eq!((left(&tokens), recorder.heard()), (3, (0, 0, 1)));
    }
    let (recorder, panics) = (Recorder::answering(""), Recorder::answering("panic"));
    let any = AnyOf::new([recorder.clone() as Arc<dyn Budget>, panics]).unwrap();
    let first = Attempt::FIRST.request(0);
    assert!(catch_unwind(AssertUnwindSafe(|| any.allow_attempt(&first))).is_err());
    assert_eq!(recorder.heard(), (0, 0, 1));
}

/// Panics whatever it is told, and when its permit comes back.
struct Rude;

impl Budget for Rude {
    fn allow_attempt(&self, _: &BudgetRequest<'_>) -> Decision {
        Decision::allow().with_release(|| panic!("in a release"))
    }
    fn refund(&self, _: &BudgetRequest<'_>) {
        panic!("in a refund");
    }
    fn on_outcome(&self, _: &AttemptEnd<'_>) {
        panic!("at the end");
    }
}

#[test]
fn a_member_that_panics_when_it_is_told_keeps_no_other_from_hearing() {
    let recorder = Recorder::answering("");
    let members: [Arc<dyn Budget>; 3] = [Arc::new(Rude), Arc::new(Rude), recorder.clone()];
    let budgets: [Arc<dyn Budget>; 2] =
        [Arc::new(AllOf::new(members.clone()).unwrap()), Arc::new(AnyOf::new(members).unwrap())];
    let request = Attempt::FIRST.request(0);
    for (number, budget) in (1..).zip(budgets) {
        let release = budget.allow_attempt(&request).release;
        assert!(catch_unwind(AssertUnwindSafe(|| drop(release))).is_err());
        assert!(catch_unwind(AssertUnwindSafe(|| budget.refund(&request))).is_err());
        let decision = budget.allow_attempt(&request);
        assert!(catch_unwind(AssertUnwindSafe(|| drop(decision))).is_err());
        assert!(
            catch_unwind(AssertUnwindSafe(|| Attempt::FIRST.end(&budget, Decision::allow(), How::Success)))
                .is_err()
        );
        assert_eq!(recorder.heard(), (0, number, number));
    }
}

#[test]
fn any_of_charges_the_first_that_allows_and_tells_it_alone() {
    let (one, two, three) = (bucket(1), in_flight(1), Recorder::answering(""));
    let members: [Arc<dyn Budget>; 3] = [one.clone(), two.clone(), three.clone()];
    let budget = AnyOf::new(members).unwrap();
    let decisions = Vec::from_iter((0..3).map(|_| Attempt::RETRY.ask(&budget, 0)));
    assert!(decisions.iter().all(|decision| decision.allowed));
    assert_eq!((left(&one), two.extras(), three.heard()), (0, 1, (1, 0, 0)));
    let mut decisions = decisions.into_iter();
    Attempt::RETRY.end(&budget, decisions.next().unwrap(), How::Success);
    assert_eq!((two.extras(), three.heard()), (1, (1, 0, 0)));
    let (second, third) = (decisions.next().unwrap(), decisions.next().unwrap());
    Attempt::RETRY.end(&budget, third, How::Success);
    assert_eq!((two.extras(), three.heard()), (1, (0, 1, 0)));
    Attempt::RETRY.refund(&budget, second);
    assert_eq!((left(&one), two.extras(), three.heard()), (0, 0, (0, 1, 0)));

    *three.answer.lock().unwrap() = "third";
    assert!(Attempt::RETRY.ask(&budget, 0).allowed);
    assert_eq!(Attempt::RETRY.ask(&budget, 0).reason, "budget_denied", "the first member's reason");
}

#[test]
fn any_of_lets_every_member_count_first_attempts() {
    let ratio = Arc::new(RetryRatio::new(1.0).unwrap());
    let gated = Arc::new(TokenBucket::new(1, 0.0).unwrap().gate_first_attempts());
    let counts = in_flight(5);
    let members: [Arc<dyn Budget>; 3] = [gated.clone(), counts.clone(), ratio.clone()];
    let budget = AnyOf::new(members).unwrap();
    let decisions = [Attempt::FIRST.ask(&budget, 0), Attempt::FIRST.ask(&budget, 0)];
    assert!(decisions.iter().all(|decision| decision.allowed));
    assert_eq!((counts.first_attempts(), ratio.available(Moment::ZERO), left(&gated)), (2, 2, 0));
    let [both_allowed, one_denied] = decisions;
    Attempt::FIRST.refund(&budget, one_denied);
    assert_eq!((counts.first_attempts(), ratio.available(Moment::ZERO), left(&gated)), (1, 1, 0));
    Attempt::FIRST.refund(&budget, both_allowed);
    assert_eq!((counts.first_attempts(), ratio.available(Moment::ZERO), left(&gated)), (0, 0, 1));
}

#[test]
fn observing_counts_and_denies_nothing() {
    let budget = Observing::new(in_flight(1));
    let ask = |attempt: Attempt| {
        assert_eq!(budget.would_deny(&attempt.request(0)), None);
        budget.allow_attempt(&attempt.request(0))
    };
    let allowed = ask(Attempt::RETRY);
    let (retry, hedge) = (ask(Attempt::RETRY), ask(Attempt::HEDGE));
    assert!(allowed.allowed && retry.allowed && hedge.allowed);
    assert_eq!(
        (allowed.reason, retry.reason.as_str(), hedge.reason.as_str()),
        ("allowed".into(), OBSERVED_DENIAL, OBSERVED_DENIAL)
    );
    let counters =
        (budget.denied(), budget.denied_first_attempts(), budget.denied_retries(), budget.denied_hedges());
    assert_eq!(counters, (2, 0, 1, 1));

    // The ends of what it denied are not its own.
    Attempt::RETRY.end(&budget, retry, How::Success);
    Attempt::HEDGE.refund(&budget, hedge);
    assert_eq!(budget.inner().extras(), 1);
    drop(allowed.release);
    Attempt::RETRY.end(&budget, Decision::allow(), How::Success);
    assert_eq!(budget.inner().extras(), 0);
}

/// Retries and hedges go through it all the time; at the end nothing is out.
fn comes_back(budget: &dyn Budget, flights: &[Arc<InFlight>]) {
    for _ in 0..3 {
        for (attempt, refunded) in [(Attempt::RETRY, false), (Attempt::HEDGE, true), (Attempt::FIRST, false)]
        {
            let decision = attempt.ask_for_a_lot(budget, 0);
            assert!(decision.allowed, "{attempt:?}");
            match refunded {
                true => attempt.refund(budget, decision),
                false => attempt.end(budget, decision, How::Success),
            }
            let left = Vec::from_iter(flights.iter().map(|flight| flight.extras() + flight.first_attempts()));
            assert_eq!(left, vec![0; flights.len()]);
        }
    }
}

#[test]
fn however_many_stand_beside_each_other_each_gets_back_what_it_granted() {
    let denies = || Recorder::answering("no") as Arc<dyn Budget>;
    for count in [1, 8, 9, 12, 64] {
        let flights = Vec::from_iter((0..count).map(|_| in_flight(1)));
        let any = |flight: &Arc<InFlight>| {
            let any = AnyOf::new([denies(), flight.clone()]).unwrap();
            Arc::new(any) as Arc<dyn Budget>
        };
        comes_back(&AllOf::new(flights.iter().map(any)).unwrap(), &flights);
        // Each in two more, all of which leave notes.
        let nested = |flight| {
            let around = AnyOf::new([denies(), any(flight)]).unwrap();
            let observed = Observing::new(AnyOf::new([denies(), Arc::new(around)]).unwrap());
            Arc::new(observed) as Arc<dyn Budget>
        };
        comes_back(&AllOf::new(flights.iter().map(nested)).unwrap(), &flights);
    }
}

#[test]
fn however_many_observe_beside_each_other_none_is_told_of_what_it_denied() {
    for count in [8, 9, 12, 64] {
        let flights = Vec::from_iter((0..count).map(|_| in_flight(1)));
        let observed = |flight: &Arc<InFlight>| Arc::new(Observing::new(flight.clone())) as Arc<dyn Budget>;
        let all = AllOf::new(flights.iter().map(observed)).unwrap();
        let [first, second] = [Attempt::HEDGE, Attempt::HEDGE].map(|attempt| attempt.ask(&all, 0));
        Attempt::HEDGE.end(&all, second, How::Success);
        assert!(flights.iter().all(|flight| flight.extras() == 1), "{count}");
        Attempt::HEDGE.end(&all, first, How::Success);
        assert!(flights.iter().all(|flight| flight.extras() == 0), "{count}");
    }
}

#[test]
fn an_observed_budget_that_panics_denies_nothing_and_is_told_of() {
    let recorder = Recorder::answering("panic");
    let budget = Observing::new(recorder.clone());
    for (attempt, panics) in [(Attempt::FIRST, 1), (Attempt::RETRY, 2), (Attempt::HEDGE, 3)] {
        let decision = attempt.ask(&budget, 0);
        assert_eq!((decision.allowed, decision.reason.as_str()), (true, OBSERVED_PANIC));
        assert_eq!((budget.denied(), budget.panicked()), (panics, panics));
        attempt.end(&budget, decision, How::Success);
        assert_eq!(recorder.heard(), (0, 0, 0), "the end is not its own");
    }
    *recorder.answer.lock().unwrap() = "";
    assert_eq!(Attempt::RETRY.ask(&budget, 0).reason, "allowed");
    assert_eq!((budget.denied_first_attempts(), budget.denied_retries(), budget.denied_hedges()), (1, 1, 1));
}

#[test]
fn no_member_stands_in_for_one_that_panics() {
    let any = AnyOf::new([Recorder::answering("panic") as Arc<dyn Budget>, Arc::new(Unlimited)]).unwrap();
    let retry = Attempt::RETRY.request(0);
    assert!(catch_unwind(AssertUnwindSafe(|| any.allow_attempt(&retry))).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| any.would_deny(&retry))).is_err());
}

#[test]
fn observing_a_budget_that_gates_first_attempts() {
    let budget = Observing::new(TokenBucket::new(1, 0.0).unwrap().gate_first_attempts());
    assert!((0..3).all(|_| budget.allow_attempt(&Attempt::FIRST.request(0)).allowed));
    assert_eq!((budget.denied_first_attempts(), budget.denied()), (2, 2));
}

#[test]
fn a_number_of_budgets_that_makes_no_sense_is_refused() {
    let members = |count: usize| Vec::from_iter((0..count).map(|_| bucket(1) as Arc<dyn Budget>));
    for count in [0, 65] {
        let errors = [AllOf::new(members(count)).unwrap_err(), AnyOf::new(members(count)).unwrap_err()];
        errors
            .iter()
            .for_each(|error| assert_eq!((error.field, error.value.clone()), ("budgets", count.to_string())));
    }
    let all = AllOf::new(members(64)).unwrap();
    assert!(Attempt::RETRY.ask(&all, 0).allowed && !Attempt::RETRY.ask(&all, 0).allowed);
    assert_eq!(
        (0..70).filter(|_| Attempt::RETRY.ask(&AnyOf::new(members(64)).unwrap(), 0).allowed).count(),
        70
    );
}

#[test]
fn outcomes_are_wanted_if_a_member_wants_them() {
    assert!(!AllOf::new([bucket(1) as Arc<dyn Budget>, bucket(1)]).unwrap().wants_outcomes());
    assert!(AllOf::new([bucket(1) as Arc<dyn Budget>, in_flight(1)]).unwrap().wants_outcomes());
    // The note of who allowed an attempt is taken when it ends.
    assert!(AnyOf::new([bucket(1) as Arc<dyn Budget>]).unwrap().wants_outcomes());
    assert!(Observing::new(bucket(1)).wants_outcomes());
}

proptest! {
    /// Any budget within any other: when everything has ended, nothing is held, and each member's tokens add up.
    #[test]
    fn nothing_is_held_at_the_end(lines in script(1..4u32, Just(0))) {
        let flights = [in_flight(2), in_flight(1), in_flight(3), Arc::new(InFlight::default())];
        let throttle = Arc::new(Throttle::new(4, 0.5).unwrap());
        let observing = Arc::new(Observing::new(flights[2].clone()));
        let any = AnyOf::new([flights[0].clone() as Arc<dyn Budget>, flights[1].clone(), bucket(9)]).unwrap();
        let all = AllOf::new([Arc::new(any) as Arc<dyn Budget>, observing, throttle]).unwrap();
        let budget = AnyOf::new([Arc::new(all) as Arc<dyn Budget>, flights[3].clone()]).unwrap();
        play(&budget, &lines, |_, _| {});
        for flight in flights {
            prop_assert_eq!((flight.first_attempts(), flight.extras()), (0, 0));
        }
    }

    /// As one bucket with the tokens of the poorer, and as one with the tokens of both.
    #[test]
    fn two_buckets_are_their_minimum_or_their_sum(
        lines in script(Just(1), Just(0)),
        one in 1..20u32,
        other in 1..20u32,
    ) {
        let members = || [bucket(one) as Arc<dyn Budget>, bucket(other)];
        let all = AllOf::new(members()).unwrap();
        let any = AnyOf::new(members()).unwrap();
        for (budget, tokens) in [(&all as &dyn Budget, one.min(other)), (&any, one + other)] {
            let mut spent = 0;
            play(budget, &lines, |done, _| match done {
                Done::Allowed(attempt) => spent += u32::from(!attempt.is_first()),
                Done::Refunded(attempt) => spent -= u32::from(!attempt.is_first()),
                Done::Denied(_) => assert_eq!(spent, tokens),
                Done::Ended(..) => assert!(spent <= tokens),
            });
        }
    }
}
