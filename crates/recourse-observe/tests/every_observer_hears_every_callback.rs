//! A fan-out tells each of its observers everything, also when one of them panics.

use recourse_core::{
    AttemptKind, AttemptRecord, BudgetEvent, CallStart, CircuitState, Key, Moment, Observer, Timeline,
    Transition,
};
use recourse_observe::{Fanout, names};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::{Arc, Mutex};

/// Writes down what it hears.
#[derive(Default)]
struct Ear(Mutex<Vec<&'static str>>);

impl Ear {
    fn hear(&self, callback: &'static str) {
        self.0.lock().expect("not poisoned").push(callback);
    }
    fn heard(&self) -> Vec<&'static str> {
        self.0.lock().expect("not poisoned").clone()
    }
}

impl Observer for Ear {
    fn on_start(&self, _: &CallStart<'_>) {
        self.hear(names::ON_START);
    }
    fn on_attempt(&self, _: &Key, _: &AttemptRecord) {
        self.hear(names::ON_ATTEMPT);
    }
    fn on_hedge_spawn(&self, _: &Key, _: &AttemptRecord) {
        self.hear(names::ON_HEDGE_SPAWN);
    }
    fn on_hedge_cancel(&self, _: &Key, _: &AttemptRecord, reason: &str) {
        assert_eq!(reason, "superseded");
        self.hear(names::ON_HEDGE_CANCEL);
    }
    fn on_budget_decision(&self, _: &BudgetEvent) {
        self.hear(names::ON_BUDGET_DECISION);
    }
    fn on_circuit_transition(&self, _: &Key, _: &Transition) {
        self.hear(names::ON_CIRCUIT_TRANSITION);
    }
    fn on_state_capped(&self, _: &Key) {
        self.hear(names::ON_STATE_CAPPED);
    }
    fn on_success(&self, _: &Timeline) {
        self.hear(names::ON_SUCCESS);
    }
    fn on_failure(&self, _: &Timeline) {
        self.hear(names::ON_FAILURE);
    }
}

/// Panics at every callback that ends a call, with the number it carries.
struct Panics(u32);

impl Observer for Panics {
    fn on_success(&self, _: &Timeline) {
        panic_any(self.0);
    }
    fn on_failure(&self, _: &Timeline) {
        panic_any(self.0);
    }
}

/// A panic that panics again when what it carries is dropped.
struct PanicsTwice;

impl Observer for PanicsTwice {
    fn on_success(&self, _: &Timeline) {
        struct Grenade;
        impl Drop for Grenade {
            fn drop(&mut self) {
                panic!("dropped");
            }
        }
        panic_any(Grenade);
    }
}

fn timeline() -> Timeline {
    Timeline::new(Key::from_static("a.b"), Moment::ZERO)
}

fn tell_all(observer: &dyn Observer) {
    let key = Key::from_static("a.b");
    let record = AttemptRecord::new(0, Moment::ZERO);
    observer.on_start(&CallStart::new(&key, None));
    observer.on_attempt(&key, &record);
    observer.on_hedge_spawn(&key, &record);
    observer.on_hedge_cancel(&key, &record, "superseded");
    observer.on_budget_decision(&BudgetEvent::new(key.clone(), 0, AttemptKind::Retry, "shared"));
    let moved = Transition::new(CircuitState::Closed, CircuitState::Open, "x", Moment::ZERO);
    observer.on_circuit_transition(&key, &moved);
    observer.on_state_capped(&key);
    observer.on_success(&timeline());
    observer.on_failure(&timeline());
}

#[test]
fn every_callback_reaches_every_observer() {
    let ears = [Arc::new(Ear::default()), Arc::new(Ear::default())];
    let fanout = Fanout::new().with(ears[0].clone()).with(ears[1].clone());
    tell_all(&fanout);
    let all: Vec<&str> = names::CALLBACKS.iter().map(|(name, _)| *name).collect();
    for ear in ears {
        assert_eq!(ear.heard(), all);
    }
}

#[test]
fn observers_are_told_in_the_order_in_which_they_were_added() {
    struct Numbered(u32, Arc<Mutex<Vec<u32>>>);
    impl Observer for Numbered {
        fn on_success(&self, _: &Timeline) {
            self.1.lock().expect("not poisoned").push(self.0);
        }
    }
    let order = Arc::new(Mutex::new(Vec::new()));
    let observers: Vec<Arc<dyn Observer>> =
        (0..3).map(|number| Arc::new(Numbered(number, order.clone())) as Arc<dyn Observer>).collect();
    Fanout::from(observers).on_success(&timeline());
    assert_eq!(*order.lock().expect("not poisoned"), [0, 1, 2]);
}

#[test]
fn a_panic_silences_nobody_and_the_first_one_goes_on_to_the_caller() {
    let ear = Arc::new(Ear::default());
    let fanout = Fanout::new().with(Panics(1)).with(Panics(2)).with(ear.clone());
    let panic = catch_unwind(AssertUnwindSafe(|| fanout.on_failure(&timeline()))).unwrap_err();
    assert_eq!(panic.downcast_ref::<u32>(), Some(&1));
    assert_eq!(ear.heard(), [names::ON_FAILURE]);
}

#[test]
fn a_panic_whose_payload_panics_silences_nobody_either() {
    let ear = Arc::new(Ear::default());
    let fanout = Fanout::new().with(Panics(1)).with(PanicsTwice).with(ear.clone());
    let panic = catch_unwind(AssertUnwindSafe(|| fanout.on_success(&timeline()))).unwrap_err();
    assert_eq!(panic.downcast_ref::<u32>(), Some(&1));
    assert_eq!(ear.heard(), [names::ON_SUCCESS]);
}

#[test]
fn a_fan_out_can_stand_in_another_one_or_be_empty() {
    let ear = Arc::new(Ear::default());
    let inner = Fanout::new().with(ear.clone());
    assert_eq!((inner.len(), inner.is_empty()), (1, false));
    tell_all(&Fanout::new());
    Fanout::new().with(inner).on_success(&timeline());
    assert_eq!(ear.heard(), [names::ON_SUCCESS]);
    assert_eq!(format!("{:?}", Fanout::new()), "Fanout(0 observers)");
}
