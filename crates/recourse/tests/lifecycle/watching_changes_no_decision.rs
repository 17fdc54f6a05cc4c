//! The same script has the same result, sleeps and launches, whether the call is watched, captured or neither; and a
//! capture is of one call alone.

use crate::scene::{KEY, Scene, built, ms, plain};
use recourse::{Executor, Policy, StopReason};
use recourse_test::{Script, ScriptedBudget, ScriptedOperation, VirtualTime, expect};
use std::time::Duration;

type Trace = (Result<u32, StopReason>, Vec<Duration>, Vec<(u32, u32, u64)>, Duration, usize);

/// Runs the call in one of four ways, and says all that it did.
fn trace(policy: &Policy, script: &dyn Fn(&VirtualTime) -> ScriptedOperation<u32>, way: usize) -> Trace {
    let scene = Scene::new();
    let budget = ScriptedBudget::allows(4).then_denies(1);
    let builder = if way & 1 == 0 { scene.unwatched() } else { scene.builder() };
    let executor = built(builder.budget("b", budget.clone()).policy(KEY, policy.clone()));
    let operation = script(&scene.time);
    let call = executor.call(KEY);
    let result = if way & 2 == 0 {
        scene.time.run(call.run(|attempt| operation.call(attempt)))
    } else {
        scene.time.run(call.run_captured(|attempt| operation.call(attempt))).0
    };
    let launched = operation.calls().into_iter().zip(operation.launched_at());
    let launched = launched.map(|(attempt, at)| (attempt.index(), attempt.hedge_index(), at.as_nanos()));
    (
        result.map_err(|error| error.stop_reason()),
        scene.time.sleeps(),
        launched.collect(),
        scene.time.elapsed(),
        budget.asks().len() + budget.peeks().len(),
    )
}

#[test]
fn every_way_of_watching_sees_the_same_call() {
    let policies = [
        Policy::new().max_attempts(5),
        plain().hedge_after(ms(10)).max_hedges(2).hedge_budget("b"),
        plain().timeout_per_attempt(ms(20)).overall_timeout(ms(60)),
        plain().retry_budget("b").max_attempts(8),
        plain().hedge_after(ms(15)).timeout_per_attempt(ms(40)).overall_timeout(ms(200)).circuit(3, ms(100)),
    ];
    type MakeScript = dyn Fn(&VirtualTime) -> ScriptedOperation<u32>;
    let scripts: [&MakeScript; 5] = [
        &|time| Script::ok(7).on(time),
        &|time| Script::fails(2).then_ok(7).on(time),
        &|time| Script::fails(2).takes(ms(30)).then_ok(7).takes(ms(12)).on(time),
        &|time| Script::never().on(time),
        &|time| Script::fails(9).yields(2).on(time),
    ];
    for policy in &policies {
        for (number, script) in scripts.iter().enumerate() {
            if number == 3 && policy.retry.timeout_per_attempt.is_none() {
                continue; // nothing would ever end it
            }
            let bare = trace(policy, script, 0);
            for way in 1..4 {
                assert_eq!(trace(policy, script, way), bare, "script {number}, way {way}, {policy:?}");
            }
        }
    }
}

#[test]
fn nested_calls_never_write_into_the_outer_capture() {
    let scene = Scene::new();
    let builder = scene.unwatched().policy(KEY, plain()).policy("inner.Call", plain());
    let executor = built(builder);
    let inner = Script::fails(2).then_ok(1).then_fails(1).then_ok(2).all_take(ms(1)).on(&scene.time);
    let call = executor.call(KEY).run_captured(|attempt| {
        let (executor, inner) = (&executor, &inner);
        async move {
            let (below, timeline) =
                executor.call("inner.Call").run_captured(|attempt| inner.call(attempt)).await;
            expect(&timeline).success().attempts(if attempt.index() == 0 { 3 } else { 1 });
            assert_eq!(timeline.key.as_str(), "inner.Call");
            below.map_err(std::io::Error::other)?;
            executor.run("inner.Call", |attempt| inner.call(attempt)).await.map_err(std::io::Error::other)?;
            if attempt.index() == 0 { Err(std::io::Error::other("again")) } else { Ok(()) }
        }
    });
    let (result, timeline) = scene.time.run(call);
    assert!(result.is_ok(), "{result:?}");
    expect(&timeline).success().attempts(2).endings(["failed", "won"]).well_formed();
    assert_eq!(timeline.key.as_str(), KEY);
}

#[test]
fn a_capture_needs_no_observer() {
    let scene = Scene::new();
    let executor: Executor = built(scene.unwatched().policy(KEY, plain()));
    let operation = Script::fails(1).takes(ms(5)).then_ok(7).on(&scene.time);
    let (result, timeline) =
        scene.time.run(executor.call(KEY).run_captured(|attempt| operation.call(attempt)));
    assert_eq!(result.ok(), Some(7));
    expect(&timeline).success().starts([ms(0), ms(15)]).took(ms(15)).well_formed();
    assert!(timeline.started_at.is_some());
    assert!(scene.observer.events().is_empty());
}
