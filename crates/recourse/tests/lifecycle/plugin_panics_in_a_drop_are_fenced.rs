//! Where a call is dropped, no plugin's panic unwinds: with recovery on or off, and everything else is given back.

use crate::scene::{KEY, Scene, built, ms, plain};
use crate::stage::{Stage, component};
use recourse::{
    Clock, Executor, Key, Moment, PolicyProvider, ProvidedPolicy, ProviderError, Sleeper, StopReason,
};
use recourse_test::{Panicking, PluginMethod, Script, VirtualTime, expect};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

fn check(method: PluginMethod) {
    for recover in [true, false] {
        for (polls, stage) in (1..=3)
            .flat_map(|polls| Stage::on_both_clocks(method).into_iter().map(move |stage| (polls, stage)))
        {
            let executor = stage.executor(recover);
            let operation = Script::<u32>::never().on(&stage.scene.time);
            let mut call = stage.scene.time.step(executor.run(KEY, |attempt| operation.call(attempt)));
            assert!(call.poll_times(polls).is_pending());
            assert_eq!(operation.in_flight(), polls, "a primary and its hedges");
            let before = stage.plugin.panics();
            let dropped = catch_unwind(AssertUnwindSafe(|| drop(call)));
            assert!(dropped.is_ok(), "a panic in {method} unwound out of a drop, recovery {recover}");
            if method != PluginMethod::OnHedgeCancel || polls > 1 {
                assert!(stage.plugin.panics() > before, "{method} was never reached");
            }
            let counted = executor.plugin_panics().count(component(method));
            assert_eq!(counted, stage.plugin.panics() as u64, "every panic in {method} is counted");
            stage.assert_all_given_back(&operation);
            stage.scene.observer.assert_one_end_per_start();
            expect(&stage.scene.observer.last_timeline()).stop(StopReason::ContextCanceled).well_formed();
        }
    }
}

macro_rules! each {
    ($($name:ident: $method:ident;)*) => {$(
        #[test]
        fn $name() {
            check(PluginMethod::$method);
        }
    )*};
}

each! {
    a_release_that_panics: Release;
    a_breaker_that_panics_at_a_report: Report;
    an_observer_that_panics_at_the_end_of_an_attempt: OnAttempt;
    an_observer_that_panics_when_a_hedge_falls: OnHedgeCancel;
    an_observer_that_panics_at_the_end_of_the_call: OnFailure;
}

#[test]
fn a_sleep_that_panics_when_it_is_dropped_with_its_call() {
    for recover in [true, false] {
        for (in_flight, policy) in [(1, plain().timeout_per_attempt(ms(50))), (0, plain())] {
            let scene = Scene::new();
            let sleeper = Panicking::only_in([PluginMethod::SleepDrop]).in_time(&scene.time);
            let builder = scene.builder().recover_panics(recover).sleeper(sleeper.clone());
            let executor = built(builder.policy(KEY, policy));
            let script = if in_flight == 1 { Script::<u32>::never() } else { Script::fails(1) };
            let operation = script.on(&scene.time);
            let mut call = scene.time.step(executor.run(KEY, |attempt| operation.call(attempt)));
            assert!(call.poll().is_pending());
            assert!(catch_unwind(AssertUnwindSafe(|| drop(call))).is_ok(), "it unwound, recovery {recover}");
            assert_eq!((sleeper.panics(), scene.time.pending_sleeps()), (1, 0));
            scene.observer.assert_one_end_per_start();
        }
    }
}

/// Panics from the moment at which it is told to.
struct Breaks(Arc<AtomicBool>, VirtualTime);

impl Clock for Breaks {
    fn now(&self) -> Moment {
        assert!(!self.0.load(Ordering::SeqCst), "the clock broke");
        self.1.now()
    }
}

#[test]
fn a_clock_that_panics() {
    for recover in [true, false] {
        let scene = Scene::new();
        let broken = Arc::new(AtomicBool::new(false));
        let builder = scene.builder().clock(Breaks(broken.clone(), scene.time.clone()));
        let executor = built(builder.recover_panics(recover).policy(KEY, plain().hedge_after(ms(10))));
        let operation = Script::<u32>::never().on(&scene.time);
        let mut call = scene.time.step(executor.run(KEY, |attempt| operation.call(attempt)));
        assert!(call.poll_times(2).is_pending());
        broken.store(true, Ordering::SeqCst);
        assert!(catch_unwind(AssertUnwindSafe(|| drop(call))).is_ok(), "it unwound, recovery {recover}");
        scene.observer.assert_one_end_per_start();
        expect(&scene.observer.last_timeline()).endings(["cancelled"; 2]).well_formed();
    }
}

/// Is never there, and panics when it is dropped.
struct Sour;

impl Future for Sour {
    type Output = Result<ProvidedPolicy, ProviderError>;
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Pending
    }
}

impl Drop for Sour {
    fn drop(&mut self) {
        panic!("a provider's future was dropped");
    }
}

struct NeverThere;

impl PolicyProvider for NeverThere {
    fn policy<'s, 'k, 'f>(
        &'s self,
        _: &'k Key,
    ) -> Pin<Box<dyn Future<Output = Result<ProvidedPolicy, ProviderError>> + Send + 'f>>
    where
        's: 'f,
        'k: 'f,
        Self: 'f,
    {
        Box::pin(Sour)
    }
}

#[test]
fn a_providers_future_that_panics_when_it_is_dropped_with_its_call() {
    for recover in [true, false] {
        let scene = Scene::new();
        let executor = built(scene.builder().provider(NeverThere).recover_panics(recover));
        let operation = Script::ok(7).on(&scene.time);
        let mut call = scene.time.step(executor.run(KEY, |attempt| operation.call(attempt)));
        assert!(call.poll().is_pending());
        assert!(catch_unwind(AssertUnwindSafe(|| drop(call))).is_ok(), "it unwound, recovery {recover}");
        assert!(scene.observer.events().is_empty());
    }
}

/// A sleep that panics both when it is polled and when it is dropped.
struct Bad;

impl Future for Bad {
    type Output = ();
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        panic!("polled")
    }
}

impl Drop for Bad {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

struct BadSleeper;

impl Sleeper for BadSleeper {
    fn sleep<'s, 'f>(&'s self, _: std::time::Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        Box::pin(Bad)
    }
}

#[test]
fn a_sleep_that_panics_twice_ends_the_call_and_no_more() {
    let scene = Scene::new();
    let executor: Executor = built(scene.builder().sleeper(BadSleeper).policy(KEY, plain()));
    let operation = Script::<u32>::fails(1).on(&scene.time);
    let call = executor.run(KEY, |attempt| operation.call(attempt));
    let ended = catch_unwind(AssertUnwindSafe(|| scene.time.run(call)));
    let stop = ended.map(|result| result.unwrap_err().stop_reason());
    assert_eq!(stop.ok().map(StopReason::as_str), Some("panic_in_sleeper"), "it unwound");
    scene.observer.assert_one_end_per_start();
}
