//! An attempt that failed launches the next hedge at once, whatever the trigger for slowness counts, and takes no look of
//! its away.

use crate::stage::{Stage, ms, plain};
use recourse::hedge::{ExtraLoad, FixedDelay, OnFailure};
use recourse::{HedgeTrigger, HttpFailure};
use recourse_test::Script;
use std::sync::Arc;
use std::time::Duration;

fn stage(slow: Arc<dyn HedgeTrigger>) -> Stage {
    let policy = plain().max_attempts(1).max_hedges(3).hedge_after(ms(100)).hedge_trigger("failed");
    Stage::with(policy, |builder| builder.hedge_trigger("failed", OnFailure::new(slow)))
}

/// When the attempts of a call were launched, since it started.
fn launches(stage: &Stage, script: Script<u32, HttpFailure>) -> Vec<Duration> {
    let timeline = stage.play(script).timeline;
    timeline.attempts().iter().map(|attempt| attempt.start.since(timeline.start)).collect()
}

fn busy() -> Script<u32, HttpFailure> {
    Script::new().then_fails_with(1, |_| HttpFailure::new(503, "GET"))
}

/// It has a hedge to give away with each call, and nothing saved.
fn extra_load() -> Arc<dyn HedgeTrigger> {
    Arc::new(ExtraLoad::percent(100.0).expect("a share").ignore_deadline())
}

#[test]
fn a_primary_that_fails_beside_a_slow_hedge_launches_the_next() {
    for slow in [Arc::new(FixedDelay) as Arc<dyn HedgeTrigger>, extra_load()] {
        let script = busy().takes(ms(150)).then_ok(2).takes(ms(500)).then_ok(3).takes(ms(10));
        let launches = launches(&stage(slow), script);
        // An extra load's delay has moved a little.
        assert!(launches[1] > ms(90) && launches[1] <= ms(100), "{launches:?}");
        assert_eq!((launches.len(), launches[2]), (3, ms(150)));
    }
}

#[test]
fn slowness_is_looked_for_when_it_was_named_though_an_attempt_failed_meanwhile() {
    let script = busy().takes(ms(30)).then_ok(2).takes(ms(500)).then_ok(3).takes(ms(10));
    assert_eq!(launches(&stage(Arc::new(FixedDelay)), script), [ms(0), ms(30), ms(100)]);
    // It is so where the primary never had to wait, and the failure is the first that is heard of the group.
    let script = busy().then_ok(2).takes(ms(500)).then_ok(3).takes(ms(10));
    assert_eq!(launches(&stage(Arc::new(FixedDelay)), script), [ms(0), ms(0), ms(100)]);
}

#[test]
fn a_hedge_on_failure_is_none_that_an_extra_load_pays_for() {
    let (trigger, key) = (Arc::new(ExtraLoad::percent(100.0).expect("a share")), crate::stage::KEY);
    let stage = stage(trigger.clone());
    let delay = || trigger.delay(recourse::Key::from_static(key).fingerprint());
    let script = || busy().takes(ms(30)).then_ok(2).takes(ms(10));
    assert_eq!(launches(&stage, script()), [ms(0), ms(30)]);
    let before = delay();
    assert_eq!(launches(&stage, script()), [ms(0), ms(30)]);
    // A group lowers the delay; only a hedge that was due would raise it.
    assert!(delay() < before, "{:?} after {before:?}", delay());
}
