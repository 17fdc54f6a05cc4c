//! Two plugins that panic in one call, or one that panics twice: still everything comes back, once, and every record is
//! closed.

use crate::scene::{KEY, Scene, built, ms, plain};
use recourse::{
    Admission, AdmissionRequest, AttemptEnd, AttemptKind, BreakerSettings, Budget, BudgetRequest,
    CircuitBreaker, CircuitState, Clock, Decision, Health, Key, Moment, Now, Policy, Ticket, Transition,
};
use recourse_test::{Panicking, PluginMethod, Script, ScriptedBudget, VirtualTime, WatchedBreakers, expect};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Panics at every read from this one on, or at this one alone.
#[derive(Clone)]
struct Breaks {
    at: u64,
    for_good: bool,
    reads: Arc<AtomicU64>,
    time: VirtualTime,
}

impl Breaks {
    fn at(at: u64, for_good: bool, time: &VirtualTime) -> Self {
        Breaks { at, for_good, reads: Arc::default(), time: time.clone() }
    }
}

impl Clock for Breaks {
    fn now(&self) -> Moment {
        let read = self.reads.fetch_add(1, Ordering::SeqCst);
        let breaks = if self.for_good { read >= self.at } else { read == self.at };
        assert!(!breaks, "the clock broke");
        self.time.now()
    }
}

/// A breaker that reads the clock whenever it is told.
struct ReadsTheClock;

impl CircuitBreaker for ReadsTheClock {
    fn admit(&self, _: &AdmissionRequest<'_>) -> Admission {
        Admission::Admitted(Ticket::normal(0), None)
    }
    fn report(&self, _: Ticket, _: Health, now: &Now<'_>) -> Option<Transition> {
        let _ = now.get();
        None
    }
    fn state(&self) -> CircuitState {
        CircuitState::Closed
    }
}

/// A call that is retried, with a limit that has the clock read, by a clock that breaks at each of its reads in turn.
fn break_at_every_read(
    for_good: bool,
    recover: bool,
    breakers: impl Fn() -> WatchedBreakers,
    check: impl Fn(&Scene, &WatchedBreakers),
) {
    let policy = || plain().overall_timeout(ms(500)).circuit_breaker("breaker").retry_budget("budget");
    for read in 0..40 {
        let (scene, breakers) = (Scene::new(), breakers());
        let clock = Breaks::at(read, for_good, &scene.time);
        let builder = scene.builder().clock(clock.clone()).recover_panics(recover);
        let builder = builder.circuit_breaker("breaker", breakers.clone());
        let executor = built(builder.budget("budget", ScriptedBudget::allows(1)).policy(KEY, policy()));
        let operation = Script::fails(1).takes(ms(5)).then_ok(7).takes(ms(5)).on(&scene.time);
        let call = executor.run(KEY, |attempt| operation.call(attempt));
        let _ = catch_unwind(AssertUnwindSafe(|| scene.time.run(call)));
        scene.observer.assert_one_end_per_start();
        check(&scene, &breakers);
    }
}

fn admits_everything() -> WatchedBreakers {
    WatchedBreakers::new(|_: &Key, _: &BreakerSettings| Arc::new(ReadsTheClock) as Arc<dyn CircuitBreaker>)
}

#[test]
fn an_attempt_that_the_clock_keeps_from_starting_has_its_record_closed() {
    for read in 0..20 {
        let scene = Scene::new();
        let builder = scene.builder().clock(Breaks::at(read, false, &scene.time));
        let executor = built(builder.policy(KEY, plain()));
        let operation = Script::fails(1).takes(ms(5)).then_ok(7).takes(ms(5)).on(&scene.time);
        let _ = scene.time.run(executor.run(KEY, |attempt| operation.call(attempt)));
        expect(&scene.observer.last_timeline()).well_formed().attempts(operation.count());
    }
}

#[test]
fn a_breaker_that_panics_after_the_clock_is_told_once() {
    let rude = || WatchedBreakers::new(Panicking::only_in([PluginMethod::Report]));
    break_at_every_read(false, true, rude, |_, breakers| {
        breakers.assert_settled();
    });
}

#[test]
fn a_clock_that_is_broken_for_good_keeps_no_breaker_from_hearing() {
    break_at_every_read(true, false, admits_everything, |_, breakers| {
        breakers.assert_settled();
    });
}

/// A budget whose release panics, and that counts what is in flight by the ends that it hears.
#[derive(Clone, Default)]
struct CountsByEnds(Arc<AtomicU64>);

impl Budget for CountsByEnds {
    fn allow_attempt(&self, _: &BudgetRequest<'_>) -> Decision {
        self.0.fetch_add(1, Ordering::SeqCst);
        Decision::allow().with_release(|| panic!("in a release"))
    }
    fn on_outcome(&self, _: &AttemptEnd<'_>) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn a_release_that_panics_keeps_no_budget_from_hearing_the_end() {
    for recover in [true, false] {
        let (scene, budget) = (Scene::new(), CountsByEnds::default());
        let builder = scene.builder().recover_panics(recover).budget("budget", budget.clone());
        let executor = built(builder.policy(KEY, Policy::new().retry_budget("budget")));
        let operation = Script::ok(7).on(&scene.time);
        let call = executor.run(KEY, |attempt| operation.call(attempt));
        let _ = catch_unwind(AssertUnwindSafe(|| scene.time.run(call)));
        assert_eq!(budget.0.load(Ordering::SeqCst), 0, "attempts in flight; recovery {recover}");
    }
}

/// Notes what it hears. The permit of a hedge panics when it is given back.
#[derive(Clone, Default)]
struct Minutes(Arc<Mutex<Vec<String>>>);

impl Minutes {
    fn add(&self, what: &str, key: &Key, kind: AttemptKind) {
        self.0.lock().expect("nobody panics here").push(format!("{what} {key} {kind}"));
    }
}

impl Budget for Minutes {
    fn allow_attempt(&self, request: &BudgetRequest<'_>) -> Decision {
        let (minutes, key, kind) = (self.clone(), request.key().clone(), request.kind());
        Decision::allow().with_release(move || {
            minutes.add("released", &key, kind);
            assert!(kind != AttemptKind::Hedge, "the release broke");
        })
    }
    fn wants_outcomes(&self) -> bool {
        true
    }
    fn on_outcome(&self, end: &AttemptEnd<'_>) {
        self.add("ended", end.key, end.kind);
    }
}

#[test]
fn a_permit_that_panics_is_followed_by_its_own_end_whatever_falls_with_the_call() {
    let (scene, minutes) = (Scene::new(), Minutes::default());
    let budgeted = plain().retry_budget("budget").hedge_budget("budget");
    let hedged = budgeted.clone().hedge_after(ms(10)).max_hedges(1);
    let builder = scene.builder().recover_panics(false).budget("budget", minutes.clone());
    let executor = built(builder.policy(KEY, hedged).policy("inner.Call", budgeted));
    let call = executor.run(KEY, |attempt| {
        let (inner, hangs) = (executor.clone(), attempt.hedge_index() == 0);
        async move {
            let never = |_| std::future::pending::<Result<u32, std::io::Error>>();
            if hangs { inner.run("inner.Call", never).await } else { Ok(7) }
        }
    });
    assert!(catch_unwind(AssertUnwindSafe(|| scene.time.run(call))).is_err());
    let minutes = minutes.0.lock().expect("nobody panics here").clone();
    assert_eq!(
        minutes,
        [
            "released payments.Charge hedge",
            "ended payments.Charge hedge",
            "released inner.Call retry",
            "ended inner.Call retry",
            "released payments.Charge retry",
            "ended payments.Charge retry",
        ]
    );
}
