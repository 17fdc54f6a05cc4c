//! One attempt that is given up is no vote; a long run of them without an answer opens the default circuit.

use crate::scene::{KEY, Scene, built, ms, plain};
use recourse::circuit::{ConsecutiveFailures, cause};
use recourse::{CircuitState, Executor, Policy, StopReason};
use recourse_test::Script;

const QUICK: &str = "replica.Quick";
const HANGING: &str = "replica.Hanging";

/// A threshold of five, after ten that are free.
fn guarded() -> Policy {
    plain().max_attempts(1).circuit(5, ms(60_000))
}

/// Calls that are hedged from a replica that never answers to one that does, each behind a key of its own.
fn hedged_away(scene: &Scene, executor: &Executor, calls: u32) {
    let (hanging, quick) =
        (Script::<u32>::never().on(&scene.time), Script::ok(7).takes(ms(5)).on(&scene.time));
    for _ in 0..calls {
        let answer = scene.time.run(executor.run(KEY, |attempt| {
            let (hanging, quick) = (&hanging, &quick);
            async move {
                match attempt.is_hedge() {
                    false => executor.run(HANGING, |inner| hanging.call(inner)).await,
                    true => executor.run(QUICK, |inner| quick.call(inner)).await,
                }
            }
        }));
        assert_eq!(answer.ok(), Some(7));
    }
}

fn replicas(scene: &Scene, hanging: Policy) -> Executor {
    let hedged = plain().max_attempts(1).hedge_after(ms(10)).max_hedges(1);
    let patient = ConsecutiveFailures::new().ignore_abandoned().build().expect("in range");
    let builder = scene.builder().circuit_breaker("patient", patient);
    built(builder.policy(KEY, hedged).policy(QUICK, guarded()).policy(HANGING, hanging))
}

#[test]
fn a_replica_that_is_only_ever_hedged_away_from_opens_its_circuit() {
    let scene = Scene::new();
    let executor = replicas(&scene, guarded());
    hedged_away(&scene, &executor, 14);
    let states = || [HANGING, QUICK].map(|key| executor.circuit_state(key));
    assert_eq!(states(), [Some(CircuitState::Closed); 2]);
    hedged_away(&scene, &executor, 1);
    assert_eq!(states(), [Some(CircuitState::Open), Some(CircuitState::Closed)]);
    let told: Vec<_> = scene.observer.transitions().iter().map(|change| change.cause.clone()).collect();
    assert_eq!(told, [cause::ABANDONED]);
}

#[test]
fn up_to_ten_in_a_row_are_no_votes() {
    let scene = Scene::new();
    let executor = replicas(&scene, guarded());
    hedged_away(&scene, &executor, 10);
    let status = executor.circuit_status(HANGING).expect("it was called");
    assert_eq!((status.counted, status.failed), (0, 0));
    hedged_away(&scene, &executor, 1);
    assert_eq!(executor.circuit_status(HANGING).map(|status| status.failed), Some(1));
}

#[test]
fn a_kind_that_ignores_them_stays_closed() {
    let scene = Scene::new();
    let executor = replicas(&scene, guarded().circuit_breaker("patient"));
    hedged_away(&scene, &executor, 100);
    assert_eq!(executor.circuit_state(HANGING), Some(CircuitState::Closed));
}

#[test]
fn a_hedge_that_wins_on_the_same_key_is_an_answer() {
    let scene = Scene::new();
    let executor = scene.executor(guarded().circuit(1, ms(60_000)).hedge_after(ms(10)).max_hedges(3));
    for _ in 0..100 {
        let operation = Script::never().then_never().then_never().then_ok(7).takes(ms(5)).on(&scene.time);
        let answer = scene.time.run(executor.run(KEY, |attempt| operation.call(attempt)));
        assert_eq!(answer.ok(), Some(7));
    }
    assert_eq!(executor.circuit_state(KEY), Some(CircuitState::Closed));
}

/// A caller who leaves before the answer.
fn leave(scene: &Scene, executor: &Executor) {
    let operation = Script::<u32>::never().on(&scene.time);
    let mut call = scene.time.step(executor.run(KEY, |attempt| operation.call(attempt)));
    assert!(call.poll().is_pending());
    scene.time.advance(ms(100));
}

#[test]
fn callers_who_leave_again_and_again_open_the_circuit_too() {
    let scene = Scene::new();
    let executor = scene.executor(guarded());
    for _ in 0..15 {
        assert_eq!(executor.circuit_state(KEY).unwrap_or(CircuitState::Closed), CircuitState::Closed);
        leave(&scene, &executor);
    }
    let operation = Script::ok(7).on(&scene.time);
    let ended = scene.time.run(executor.run(KEY, |attempt| operation.call(attempt)));
    assert_eq!((ended.unwrap_err().stop_reason(), operation.count()), (StopReason::CircuitOpen, 0));
}

#[test]
fn one_answer_among_them_starts_the_run_anew() {
    let scene = Scene::new();
    let executor = scene.executor(guarded().circuit(1, ms(60_000)));
    let operation = Script::ok(7).on(&scene.time);
    for _ in 0..20 {
        (0..10).for_each(|_| leave(&scene, &executor));
        assert_eq!(scene.time.run(executor.run(KEY, |attempt| operation.call(attempt))).ok(), Some(7));
    }
    assert_eq!(executor.circuit_state(KEY), Some(CircuitState::Closed));
    assert!(scene.observer.transitions().is_empty());
}
