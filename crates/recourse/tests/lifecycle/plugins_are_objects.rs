//! Every plugin trait can be made an object, and what is shared between threads may be.

use recourse::{
    Attempt, AttemptRecord, BreakerFactory, Budget, BudgetEvent, BuildError, CircuitBreaker, Classifier,
    Clock, Decision, Error, Executor, Explanation, Handle, HedgeTrigger, Key, KeyError, Label, Observer,
    Outcome, PanicError, Policy, PolicyProvider, ProvidedPolicy, ProviderError, Registry, Release, Sleeper,
    StaticProvider, Ticket, Timeline,
};
use std::error::Error as StdError;
use std::fmt::Debug;
use std::io;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

fn shared<T: Send + Sync + ?Sized + 'static>() -> usize {
    size_of::<&T>()
}

fn shown<T: Debug>() -> usize {
    size_of::<T>()
}

#[test]
fn every_plugin_trait_is_an_object_that_threads_may_share() {
    let pointers = [
        shared::<dyn Classifier>(),
        shared::<dyn Budget>(),
        shared::<dyn HedgeTrigger>(),
        shared::<dyn CircuitBreaker>(),
        shared::<dyn BreakerFactory>(),
        shared::<dyn Observer>(),
        shared::<dyn PolicyProvider>(),
        shared::<dyn Sleeper>(),
        shared::<dyn Clock>(),
    ];
    assert!(pointers.iter().all(|size| *size == 2 * size_of::<usize>()));
}

#[test]
fn an_arc_of_a_plugin_is_a_plugin() {
    fn plugins(
        _: impl Classifier,
        _: impl Budget,
        _: impl HedgeTrigger,
        _: impl Observer,
        _: impl PolicyProvider,
        sleeper: impl Sleeper,
        clock: impl Clock,
    ) -> bool {
        drop(sleeper);
        clock.now() >= recourse::Moment::ZERO
    }
    let time = recourse_test::VirtualTime::new();
    let classifier: Arc<dyn Classifier> = Arc::new(recourse::classify::Always);
    let budget: Arc<dyn Budget> = Arc::new(recourse::budget::Unlimited);
    let trigger: Arc<dyn HedgeTrigger> = Arc::new(recourse::hedge::FixedDelay);
    let observer: Arc<dyn Observer> = Arc::new(recourse_test::RecordingObserver::new());
    let provider: Arc<dyn PolicyProvider> = Arc::new(StaticProvider::new());
    let sleeper: Arc<dyn Sleeper> = Arc::new(time.clone());
    let clock: Arc<dyn Clock> = Arc::new(time);
    assert!(plugins(classifier, budget, trigger, observer, provider, sleeper, clock));
}

#[test]
fn what_threads_share_may_be_shared() {
    shared::<Executor>();
    shared::<Handle>();
    shared::<Registry<dyn Budget>>();
    shared::<StaticProvider>();
    shared::<Policy>();
    shared::<Timeline>();
    shared::<Key>();
    shared::<Label>();
    shared::<Outcome>();
    shared::<BudgetEvent>();
    shared::<Explanation>();
    shared::<BuildError>();
    shared::<KeyError>();
    shared::<PanicError>();
    shared::<ProviderError>();
    shared::<ProvidedPolicy>();
    shared::<Error<io::Error>>();
    shared::<Error<anyhow::Error>>();
    shared::<Error<Box<dyn StdError + Send + Sync>>>();
    fn moved<T: Send + 'static>() -> usize {
        size_of::<T>()
    }
    assert!(moved::<Release>() > 0 && moved::<Decision>() > 0);
}

#[test]
fn an_error_is_send_and_sync_exactly_where_its_inner_one_is() {
    trait UnlessSync<A> {
        const HOLDS: bool = true;
    }
    impl<T: ?Sized> UnlessSync<()> for T {}
    impl<T: ?Sized + Sync> UnlessSync<u8> for T {}
    #[derive(Debug)]
    #[allow(dead_code, reason = "its type is all that matters")]
    struct Local(std::rc::Rc<u8>);
    const { assert!(<Error<Local> as UnlessSync<_>>::HOLDS) };
}

#[test]
fn a_panic_may_pass_an_executor() {
    fn safe<T: UnwindSafe + RefUnwindSafe>() -> usize {
        size_of::<T>()
    }
    assert_eq!(safe::<Attempt>(), size_of::<Attempt>());
    assert_eq!(safe::<Timeline>(), size_of::<Timeline>());
}

#[test]
fn public_types_print_themselves() {
    let sizes = [
        shown::<Executor>(),
        shown::<Handle>(),
        shown::<recourse::Call<'static>>(),
        shown::<recourse::ExecutorBuilder>(),
        shown::<Error<Box<dyn StdError + Send + Sync>>>(),
        shown::<Explanation>(),
        shown::<Registry<dyn Sleeper>>(),
        shown::<Decision>(),
        shown::<AttemptRecord>(),
    ];
    assert!(sizes.iter().all(|size| *size > 0));
}

#[test]
fn small_things_are_small() {
    let word = size_of::<usize>();
    assert_eq!(size_of::<Executor>(), word);
    assert_eq!(size_of::<Handle>(), 2 * word);
    assert!(size_of::<Attempt>() <= 6 * word, "{}", size_of::<Attempt>());
    assert!(size_of::<Ticket>() <= 3 * word);
    assert!(size_of::<Label>() <= 3 * word, "{}", size_of::<Label>());
}
