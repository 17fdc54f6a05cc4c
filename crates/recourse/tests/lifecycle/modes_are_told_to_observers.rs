//! A mode that is set from outside reaches observers as any change of the circuit does, with its name as the cause.

use crate::scene::{KEY, Scene, built, ms, plain};
use recourse::circuit::{Observing, cause};
use recourse::{
    Admission, AdmissionRequest, BreakerSettings, CircuitBreaker, CircuitMode, CircuitState, Component,
    Executor, Health, Key, Now, Observer, Ticket, Transition,
};
use recourse_test::{Panicking, PluginMethod, Script, VirtualTime};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use CircuitMode::{Disabled, Enforcing, ForcedClosed, ForcedOpen};
use CircuitState::{Closed, HalfOpen, Open};

fn guarded() -> recourse::Policy {
    plain().max_attempts(1).circuit(1, ms(1_000))
}

fn succeed(scene: &Scene, executor: &Executor) -> bool {
    let operation = Script::ok(7).on(&scene.time);
    scene.time.run(executor.run(KEY, |attempt| operation.call(attempt))).is_ok()
}

fn fail(scene: &Scene, executor: &Executor) {
    let operation = Script::<u32>::fails(1).on(&scene.time);
    assert!(scene.time.run(executor.run(KEY, |attempt| operation.call(attempt))).is_err());
}

/// States and cause of every change so far.
fn told(scene: &Scene) -> Vec<(CircuitState, CircuitState, String)> {
    let transitions = scene.observer.transitions();
    transitions.into_iter().map(|change| (change.from, change.to, change.cause.to_string())).collect()
}

fn change(from: CircuitState, to: CircuitState, cause: &str) -> (CircuitState, CircuitState, String) {
    (from, to, cause.to_owned())
}

#[test]
fn forcing_a_circuit_and_taking_it_back_are_told_once_each_with_their_moment() {
    let scene = Scene::new();
    let executor = scene.executor(guarded());
    assert!(succeed(&scene, &executor));
    scene.time.advance(ms(40));
    for _ in 0..3 {
        assert!(executor.set_circuit_mode(KEY, ForcedOpen));
    }
    assert_eq!(told(&scene), [change(Closed, Open, cause::FORCED_OPEN)]);
    assert_eq!(scene.observer.transitions()[0].at, scene.time.now());
    assert!(!succeed(&scene, &executor));
    for _ in 0..3 {
        assert!(executor.set_circuit_mode(KEY, Enforcing));
    }
    assert_eq!(told(&scene)[1..], [change(Open, Closed, cause::ENFORCING)]);
    assert!(succeed(&scene, &executor));
}

#[test]
fn what_is_told_is_one_chain_of_states_with_the_circuits_own_changes() {
    let scene = Scene::new();
    let executor = scene.executor(guarded());
    fail(&scene, &executor);
    let set = |mode| assert!(executor.set_circuit_mode(KEY, mode));
    set(ForcedOpen);
    set(Enforcing);
    scene.time.advance(ms(1_000));
    assert!(succeed(&scene, &executor));
    set(Disabled);
    fail(&scene, &executor);
    set(CircuitMode::Observing);
    fail(&scene, &executor);
    set(ForcedClosed);
    set(Enforcing);
    let told = told(&scene);
    assert_eq!(
        told,
        [
            change(Closed, Open, cause::CONSECUTIVE_FAILURES),
            change(Open, Open, cause::FORCED_OPEN),
            change(Open, Open, cause::ENFORCING),
            change(Open, HalfOpen, cause::COOLDOWN_OVER),
            change(HalfOpen, Closed, cause::PROBE_SUCCEEDED),
            change(Closed, Closed, cause::DISABLED),
            change(Closed, Closed, cause::OBSERVING),
            change(Closed, Open, cause::CONSECUTIVE_FAILURES),
            change(Open, Closed, cause::FORCED_CLOSED),
            change(Closed, Closed, cause::ENFORCING),
        ]
    );
    assert!(told.iter().zip(&told[1..]).all(|(one, next)| one.1 == next.0));
}

#[test]
fn a_half_open_circuit_that_was_forced_shows_itself_again_when_it_is_taken_back() {
    let scene = Scene::new();
    let executor = scene.executor(guarded());
    fail(&scene, &executor);
    scene.time.advance(ms(1_000));
    let probe = Script::<u32>::never().on(&scene.time);
    let mut call = scene.time.step(executor.run(KEY, |attempt| probe.call(attempt)));
    assert!(call.poll().is_pending());
    assert!(executor.set_circuit_mode(KEY, ForcedOpen) && executor.set_circuit_mode(KEY, Enforcing));
    let last = told(&scene).split_off(2);
    assert_eq!(last, [change(HalfOpen, Open, cause::FORCED_OPEN), change(Open, HalfOpen, cause::ENFORCING)]);
}

#[test]
fn a_key_without_a_circuit_or_with_one_that_has_no_modes_tells_nobody() {
    let scene = Scene::new();
    let executor = scene.executor(guarded());
    assert!(!executor.set_circuit_mode(KEY, ForcedOpen), "no call has made it");
    let kind = |_: &Key, _: &BreakerSettings| Arc::new(Fixed) as Arc<dyn CircuitBreaker>;
    let builder = scene.builder().circuit_breaker("fixed", Observing::new(kind));
    let fixed = built(builder.policy(KEY, guarded().circuit_breaker("fixed")));
    assert!(succeed(&scene, &fixed));
    assert!(!fixed.set_circuit_mode(KEY, ForcedOpen));
    assert_eq!(told(&scene), []);
}

#[test]
fn a_mode_that_was_taken_back_under_a_kind_without_modes_does_not_come_back() {
    let scene = Scene::new();
    let fixed = |_: &Key, _: &BreakerSettings| Arc::new(Fixed) as Arc<dyn CircuitBreaker>;
    let rows = || recourse::circuit::ConsecutiveFailures::new().build().expect("in range");
    let builder = scene.builder().circuit_breaker("kind", rows());
    let executor = built(builder.policy(KEY, guarded().circuit_breaker("kind")));
    let replace_by = |fix: bool| {
        match fix {
            true => executor.circuit_breakers().replace("kind", fixed),
            false => executor.circuit_breakers().replace("kind", rows()),
        }
        .expect("a name");
    };
    assert!(succeed(&scene, &executor) && executor.set_circuit_mode(KEY, ForcedOpen));
    replace_by(true);
    assert!(succeed(&scene, &executor) && !executor.set_circuit_mode(KEY, ForcedOpen));
    assert!(executor.set_circuit_mode(KEY, Enforcing), "it does so anyway");
    replace_by(false);
    assert!(succeed(&scene, &executor));
    assert_eq!(executor.circuit_status(KEY).map(|status| status.mode), Some(Enforcing));
}

/// Closed for good, and without modes.
struct Fixed;

impl CircuitBreaker for Fixed {
    fn admit(&self, _: &AdmissionRequest<'_>) -> Admission {
        Admission::Admitted(Ticket::normal(0), None)
    }
    fn report(&self, _: Ticket, _: Health, _: &Now<'_>) -> Option<Transition> {
        None
    }
    fn state(&self) -> CircuitState {
        Closed
    }
}

/// Open or not, as it was set; it knows nothing of changes.
#[derive(Default)]
struct Switch(AtomicBool);

impl CircuitBreaker for Switch {
    fn admit(&self, _: &AdmissionRequest<'_>) -> Admission {
        Admission::Admitted(Ticket::normal(0), None)
    }
    fn report(&self, _: Ticket, _: Health, _: &Now<'_>) -> Option<Transition> {
        None
    }
    fn state(&self) -> CircuitState {
        if self.0.load(Ordering::Relaxed) { Open } else { Closed }
    }
    fn set_mode(&self, mode: CircuitMode) -> bool {
        self.0.store(mode == ForcedOpen, Ordering::Relaxed);
        true
    }
}

#[test]
fn a_breaker_that_only_sets_modes_is_told_of_by_its_states() {
    let scene = Scene::new();
    let kind = |_: &Key, _: &BreakerSettings| Arc::new(Switch::default()) as Arc<dyn CircuitBreaker>;
    let builder = scene.builder().circuit_breaker("switch", kind);
    let executor = built(builder.policy(KEY, guarded().circuit_breaker("switch")));
    assert!(succeed(&scene, &executor));
    for mode in [ForcedOpen, ForcedOpen, Enforcing, Enforcing] {
        assert!(executor.set_circuit_mode(KEY, mode));
    }
    assert_eq!(told(&scene), [change(Closed, Open, "forced_open"), change(Open, Closed, "enforcing")]);
}

/// Sets the mode back as soon as it hears of one.
#[derive(Default)]
struct Contrary(OnceLock<Executor>);

impl Observer for Contrary {
    fn on_circuit_transition(&self, key: &Key, change: &Transition) {
        if change.cause == cause::FORCED_OPEN {
            let executor = self.0.get().expect("it was handed over");
            assert_eq!(executor.circuit_state(key), Some(Open));
            assert!(executor.set_circuit_mode(key, Enforcing));
        }
    }
}

#[test]
fn an_observer_may_look_at_the_circuit_and_set_its_mode() {
    let (scene, contrary) = (Scene::new(), Arc::new(Contrary::default()));
    let executor = built(scene.builder().observer(contrary.clone()).policy(KEY, guarded()));
    contrary.0.set(executor.clone()).expect("once");
    assert!(succeed(&scene, &executor));
    assert!(executor.set_circuit_mode(KEY, ForcedOpen));
    assert_eq!(executor.circuit_state(KEY), Some(Closed));
    assert_eq!(told(&scene).len(), 2);
    // It holds the executor, which holds it.
    drop((executor, contrary));
}

#[test]
fn an_observer_that_panics_keeps_nobody_from_setting_the_mode_or_hearing_of_it() {
    for recover in [true, false] {
        let scene = Scene::new();
        let panicking = Panicking::only_in([PluginMethod::OnCircuitTransition]);
        let builder = Executor::builder().clock(scene.time.clone()).sleeper(scene.time.clone());
        let builder = builder.observer(panicking).observer(scene.observer.clone()).recover_panics(recover);
        let executor = built(builder.policy(KEY, guarded()));
        assert!(succeed(&scene, &executor));
        let set = catch_unwind(AssertUnwindSafe(|| executor.set_circuit_mode(KEY, ForcedOpen)));
        assert_eq!(set.ok(), recover.then_some(true));
        assert_eq!(executor.circuit_state(KEY), Some(Open));
        assert_eq!(told(&scene), [change(Closed, Open, cause::FORCED_OPEN)]);
        assert_eq!(executor.plugin_panics().count(Component::Observer), 1);
    }
}

#[test]
fn a_clock_that_panics_keeps_nobody_from_setting_the_mode() {
    let (scene, time) = (Scene::new(), VirtualTime::new());
    let clock = Panicking::only_in([PluginMethod::Now]);
    let builder = Executor::builder().clock(clock).sleeper(time).observer(scene.observer.clone());
    let executor = built(builder.policy(KEY, guarded()));
    let operation = Script::ok(7).on(&scene.time);
    let _ = scene.time.run(executor.run(KEY, |attempt| operation.call(attempt)));
    assert!(executor.set_circuit_mode(KEY, ForcedOpen));
    assert_eq!(executor.circuit_state(KEY), Some(Open));
    assert_eq!(told(&scene), [change(Closed, Open, cause::FORCED_OPEN)]);
}
