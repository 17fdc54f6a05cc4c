//! The operation's own panic always unwinds to the caller, after everything was given back and told.

use crate::scene::{KEY, Scene, built, ms, plain};
use recourse::{Attempt, Ending, Executor, Health, Policy};
use recourse_test::{Script, ScriptedBreaker, ScriptedBudget, ScriptedError, expect};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};

struct Guarded {
    scene: Scene,
    budget: ScriptedBudget,
    breaker: ScriptedBreaker,
    executor: Executor,
}

fn guarded(policy: Policy, recover: bool) -> Guarded {
    let scene = Scene::new();
    let (budget, breaker) = (ScriptedBudget::allows(1), ScriptedBreaker::admits(1));
    let builder = scene.builder().budget("b", budget.clone()).circuit_breaker("c", breaker.clone());
    let policy = policy.retry_budget("b").hedge_budget("b").circuit_breaker("c");
    let executor = built(builder.recover_panics(recover).policy(KEY, policy));
    Guarded { scene, budget, breaker, executor }
}

impl Guarded {
    /// What the panic said that unwound out of the call.
    #[track_caller]
    fn panics<T>(&self, call: impl Future<Output = T>) -> String {
        let ended = catch_unwind(AssertUnwindSafe(|| self.scene.time.run(call)));
        let panic = ended.err().expect("the operation's panic must reach the caller");
        let text = panic.downcast_ref::<&str>().map(ToString::to_string);
        text.or_else(|| panic.downcast_ref::<String>().cloned()).expect("a panic with a text")
    }

    #[track_caller]
    fn assert_clean(&self) {
        self.budget.assert_all_released();
        self.breaker.assert_all_reported();
        self.scene.observer.assert_one_end_per_start();
        assert_eq!(self.scene.time.pending_sleeps(), 0);
        expect(&self.scene.observer.last_timeline()).failure().stop("panic_in_operation").well_formed();
    }
}

#[test]
fn a_panic_in_a_poll_unwinds_with_recovery_on_and_off() {
    for recover in [true, false] {
        let it = guarded(plain(), recover);
        let operation = Script::<u32>::fails(1).then_panics("boom").takes(ms(5)).on(&it.scene.time);
        assert_eq!(it.panics(it.executor.run(KEY, |attempt| operation.call(attempt))), "boom");
        it.assert_clean();
        let timeline = it.scene.observer.last_timeline();
        expect(&timeline).endings([Ending::Failed, Ending::Panicked]);
        expect(&timeline).reasons(["retryable_error", "panic_in_operation"]);
        assert_eq!(it.breaker.votes(), [Health::Down, Health::None]);
        assert_eq!(it.executor.plugin_panics().total(), 0, "it is no plugin");
    }
}

#[test]
fn a_panic_before_there_is_a_future_unwinds() {
    let it = guarded(plain(), true);
    let operation = |_: Attempt| -> std::future::Ready<Result<u32, ScriptedError>> { panic!("early") };
    assert_eq!(it.panics(it.executor.run(KEY, operation)), "early");
    it.assert_clean();
    expect(&it.scene.observer.last_timeline()).endings([Ending::Panicked]);
}

#[test]
fn a_panic_in_a_hedge_unwinds_and_drops_its_primary() {
    let it = guarded(plain().hedge_after(ms(10)).max_hedges(1), true);
    let operation = Script::<u32>::never().then_panics("hedge").takes(ms(5)).on(&it.scene.time);
    assert_eq!(it.panics(it.executor.run(KEY, |attempt| operation.call(attempt))), "hedge");
    it.assert_clean();
    assert_eq!((operation.in_flight(), operation.dropped()), (0, 1));
    expect(&it.scene.observer.last_timeline()).endings([Ending::Cancelled, Ending::Panicked]);
}

#[test]
fn a_hedge_whose_closure_panics_unwinds() {
    let it = guarded(plain().hedge_after(ms(10)).max_hedges(1), true);
    let call = it.executor.run(KEY, |attempt| {
        assert!(!attempt.is_hedge(), "no future for a hedge");
        std::future::pending::<Result<u32, ScriptedError>>()
    });
    assert_eq!(it.panics(call), "no future for a hedge");
    it.assert_clean();
    expect(&it.scene.observer.last_timeline()).endings([Ending::Cancelled, Ending::Panicked]);
}

/// Panics when it is dropped before its end.
struct Fragile;

impl Drop for Fragile {
    fn drop(&mut self) {
        panic!("fragile");
    }
}

#[test]
fn a_loser_that_panics_when_it_is_dropped_unwinds() {
    let it = guarded(plain().hedge_after(ms(10)).max_hedges(1), true);
    let call = it.executor.run(KEY, |attempt| async move {
        if attempt.is_hedge() {
            return Ok::<u32, ScriptedError>(7);
        }
        let _fragile = Fragile;
        std::future::pending().await
    });
    assert_eq!(it.panics(call), "fragile");
    it.assert_clean();
}

#[test]
fn an_attempt_that_panics_when_its_time_is_over_unwinds() {
    let it = guarded(plain().timeout_per_attempt(ms(10)), true);
    let call = it.executor.run(KEY, |_| async {
        let _fragile = Fragile;
        std::future::pending::<Result<u32, ScriptedError>>().await
    });
    assert_eq!(it.panics(call), "fragile");
    it.assert_clean();
    expect(&it.scene.observer.last_timeline()).endings([Ending::Panicked]);
}

/// An error whose drop panics, where it is the first attempt's.
#[derive(Debug, thiserror::Error)]
#[error("sour")]
struct Sour(u32);

impl Drop for Sour {
    fn drop(&mut self) {
        assert!(self.0 > 0, "the first attempt's error is dropped");
    }
}

#[test]
fn an_error_that_panics_when_a_later_result_takes_its_place_unwinds() {
    for succeeds in [true, false] {
        let it = guarded(plain(), true);
        let call = it.executor.run(KEY, |attempt| async move {
            match attempt.index() {
                1 if succeeds => Ok(7),
                index => Err(Sour(index)),
            }
        });
        assert_eq!(it.panics(call), "the first attempt's error is dropped");
        it.assert_clean();
        let last = if succeeds { Ending::Won } else { Ending::Failed };
        expect(&it.scene.observer.last_timeline()).endings([Ending::Failed, last]);
    }
}

#[test]
fn the_twins_for_mutable_state_unwind_too() {
    let it = guarded(plain(), true);
    let call = it
        .executor
        .run_mut(KEY, async |attempt| -> Result<u32, ScriptedError> { panic!("twin {}", attempt.index()) });
    assert_eq!(it.panics(call), "twin 0");
    it.assert_clean();
    let it = guarded(plain(), true);
    let mut tries = 0;
    let call = it.executor.run_with(KEY, &mut tries, |tries, _| {
        Box::pin(async move {
            *tries += 1;
            if *tries == 1 { Err(ScriptedError::new(0)) } else { panic!("state") }
        })
    });
    let call = async { call.await.map(|()| 0) };
    assert_eq!(it.panics(call), "state");
    it.assert_clean();
    assert_eq!(tries, 2);
}

#[test]
fn an_error_whose_display_panics_fails_no_call() {
    #[derive(Debug)]
    struct Unprintable;
    impl std::fmt::Display for Unprintable {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("unprintable")
        }
    }
    impl std::error::Error for Unprintable {}
    let scene = Scene::new();
    let executor = scene.executor(plain().max_attempts(1));
    let error = scene.time.run(executor.run(KEY, |_| async { Err::<u32, _>(Unprintable) })).unwrap_err();
    assert!(error.into_inner().is_some());
    scene.observer.assert_one_end_per_start();
}
