//! What the operation sees of its attempt: index, hedge or not, policy id, time left.

use crate::scene::{KEY, Scene, built, ms, plain};
use recourse::{Attempt, Executor};
use recourse_test::{Script, ScriptedOperation};

fn attempts(scene: &Scene, executor: &Executor, operation: &ScriptedOperation<u32>) -> Vec<Attempt> {
    let _ = scene.time.run(executor.run(KEY, |attempt| operation.call(attempt)));
    operation.calls()
}

#[test]
fn indices_are_those_of_the_timeline() {
    let scene = Scene::new();
    let executor = scene.executor(plain().hedge_after(ms(10)).max_hedges(1).id("reads"));
    let operation = Script::fails(2).takes(ms(20)).then_never().then_ok(7).on(&scene.time);
    let seen = attempts(&scene, &executor, &operation);
    let read = |attempt: &Attempt| (attempt.index(), attempt.is_hedge(), attempt.hedge_index());
    assert_eq!(
        seen.iter().map(read).collect::<Vec<_>>(),
        [(0, false, 0), (0, true, 1), (1, false, 0), (1, true, 1)]
    );
    assert!(seen.iter().all(|attempt| attempt.policy_id() == "reads" && attempt.time_left().is_none()));
}

#[test]
fn time_left_is_the_smaller_of_the_attempts_own_and_the_calls() {
    let scene = Scene::new();
    let executor = scene.executor(plain().timeout_per_attempt(ms(40)).overall_timeout(ms(100)));
    let operation = Script::never().on(&scene.time);
    let seen = attempts(&scene, &executor, &operation);
    let left: Vec<_> = seen.iter().map(|attempt| attempt.time_left()).collect();
    // 0 to 40, a wait of 10, 50 to 90; a wait of 20 would pass the deadline at 100.
    assert_eq!(left, [Some(ms(40)), Some(ms(40))]);

    let scene = Scene::new();
    let executor = scene.executor(plain().timeout_per_attempt(ms(80)).overall_timeout(ms(100)));
    let operation = Script::never().on(&scene.time);
    let left: Vec<_> = attempts(&scene, &executor, &operation).iter().map(|a| a.time_left()).collect();
    assert_eq!(left, [Some(ms(80)), Some(ms(10))]);
}

#[test]
fn with_an_overall_timeout_alone_time_left_shrinks_with_the_call() {
    let scene = Scene::new();
    let executor = scene.executor(plain().overall_timeout(ms(100)).hedge_after(ms(15)).max_hedges(1));
    let operation = Script::fails(9).takes(ms(20)).on(&scene.time);
    let seen = attempts(&scene, &executor, &operation);
    let left: Vec<_> = seen.iter().map(|attempt| attempt.time_left()).collect();
    // Group 0 at 0 with its hedge at 15, until 35; group 1 at 45 and 60, until 80; a wait of 20 would end at 100.
    assert_eq!(left, [Some(ms(100)), Some(ms(85)), Some(ms(55)), Some(ms(40))]);
}

#[test]
fn a_policy_id_is_the_same_static_text_at_every_attempt() {
    let scene = Scene::new();
    let id = format!("policy-{}", 7);
    let executor = built(scene.builder().policy(KEY, plain().id(id)));
    let operation = Script::fails(1).then_ok(7).on(&scene.time);
    let seen = attempts(&scene, &executor, &operation);
    assert_eq!(seen[0].policy_id(), "policy-7");
    assert!(std::ptr::eq(seen[0].policy_id(), seen[1].policy_id()));
}
