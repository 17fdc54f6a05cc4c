//! The fast path: a call that is ready at once reads no clock and makes no timer, and one that waits makes it late.

use crate::scene::{KEY, Scene, built, ms, plain};
use recourse::Policy;
use recourse_test::{Script, ScriptedBreaker, ScriptedBudget};

fn everything() -> Policy {
    plain()
        .timeout_per_attempt(ms(100))
        .overall_timeout(ms(1_000))
        .hedge_after(ms(50))
        .retry_budget("b")
        .circuit(5, ms(1_000))
}

#[test]
fn a_call_that_is_ready_at_once_reads_no_clock_and_makes_no_timer() {
    for policy in
        [plain(), Policy::http(), plain().hedge_after(ms(20)), plain().circuit(5, ms(100)), everything()]
    {
        let scene = Scene::new();
        let builder = scene.unwatched().budget("b", ScriptedBudget::allows(1));
        let executor = built(builder.policy(KEY, policy));
        let handle = executor.handle(KEY).unwrap();
        let operation = Script::ok(7).on(&scene.time);
        for _ in 0..3 {
            assert_eq!(scene.time.run(executor.run(KEY, |attempt| operation.call(attempt))).ok(), Some(7));
            assert_eq!(scene.time.run(handle.run(|attempt| operation.call(attempt))).ok(), Some(7));
        }
        assert_eq!((scene.time.clock_reads(), scene.time.sleeps()), (0, vec![]));
    }
}

#[test]
fn a_call_without_a_limit_that_waits_makes_no_timer() {
    let scene = Scene::new();
    let executor = built(scene.unwatched().policy(KEY, plain()));
    let operation = Script::ok(7).takes(ms(30)).on(&scene.time);
    assert_eq!(scene.time.run(executor.run(KEY, |attempt| operation.call(attempt))).ok(), Some(7));
    assert!(scene.time.sleeps().is_empty());
}

#[test]
fn a_timer_is_made_only_after_the_operation_was_first_pending() {
    let scene = Scene::new();
    let budget = ScriptedBudget::allows(1);
    let executor = built(scene.unwatched().budget("b", budget).policy(KEY, everything()));
    let operation = Script::fails(1).then_ok(7).takes(ms(30)).on(&scene.time);
    let mut call = scene.time.step(executor.run(KEY, |attempt| operation.call(attempt)));
    assert!(call.poll().is_pending());
    assert_eq!(scene.time.sleeps(), [ms(10)], "the backoff and nothing else");
    assert!(call.poll().is_pending());
    assert_eq!(scene.time.sleeps(), [ms(10), ms(50)], "the hedge's moment comes first of all");
    assert_eq!(call.run().ok(), Some(7));
    assert_eq!(scene.time.sleeps().len(), 2);
}

#[test]
fn a_watched_call_that_is_ready_at_once_reads_the_clock_twice() {
    let scene = Scene::new();
    let executor = scene.executor(plain());
    let operation = Script::ok(7).on(&scene.time);
    let before = scene.time.clock_reads();
    assert!(scene.time.run(executor.run(KEY, |attempt| operation.call(attempt))).is_ok());
    let reads = scene.time.clock_reads() - before;
    assert_eq!(reads, 2, "one for the start and one for the end are enough");
}

#[test]
fn a_healthy_breaker_is_asked_without_the_time() {
    let scene = Scene::new();
    let breaker = ScriptedBreaker::admits(1);
    let builder = scene.unwatched().circuit_breaker("c", breaker.clone());
    let executor = built(builder.policy(KEY, plain().circuit_breaker("c")));
    let operation = Script::ok(7).on(&scene.time);
    assert!(scene.time.run(executor.run(KEY, |attempt| operation.call(attempt))).is_ok());
    assert_eq!((scene.time.clock_reads(), breaker.votes().len()), (0, 1));
}
