//! What a key keeps while its plans change: one breaker, one latency window.

use super::{Closed, KEY, policy, world};
use crate::plan::{Slot, Slots, StaticProvider};
use loom::thread;
use recourse_core::{
    Admission, AdmissionRequest, BreakerSettings, CircuitBreaker, CircuitState, Health, HedgeDecision,
    HedgeState, HedgeTrigger, Key, Now, Policy, Ticket, Transition,
};
use recourse_model::explore_up_to;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

const DELAY: Duration = Duration::from_secs(1);

/// A trigger that reads latencies.
struct Reads;

impl HedgeTrigger for Reads {
    fn should_spawn_hedge(&self, _: &HedgeState) -> HedgeDecision {
        unreachable!("no call runs in a model")
    }

    fn wants_latency(&self) -> bool {
        true
    }
}

#[test]
fn threads_that_meet_at_a_new_key_share_its_breaker_and_its_latencies() {
    explore_up_to(2, || {
        let provider = StaticProvider::new();
        provider.set(KEY.clone(), policy(1).circuit(5, DELAY).hedge_after(DELAY));
        let made = Arc::new(AtomicU32::new(0));
        let mut world = world(provider);
        let counted = made.clone();
        world.default_breaker = Arc::new(move |_: &Key, _: &BreakerSettings| -> Arc<dyn CircuitBreaker> {
            counted.fetch_add(1, SeqCst);
            // Foreign code takes its time.
            thread::yield_now();
            Arc::new(Closed)
        });
        world.default_trigger = Arc::new(Reads);
        let shared = Arc::new((Slots::new(1), world));
        let state = |(slots, world): &(Slots, _)| {
            let plan = slots.plan_of_new(&KEY, world).expect("the provider answers at once");
            let breaker = plan.breaker.as_ref().expect("a breaker").plugin.clone();
            (breaker, plan.latency.clone().expect("a window"))
        };
        let theirs = shared.clone();
        let other = thread::spawn(move || state(&theirs));
        let (mine, other) = (state(&shared), other.join().expect("no panic"));
        assert!(Arc::ptr_eq(&mine.0, &other.0) && Arc::ptr_eq(&mine.1, &other.1));
        assert_eq!(made.load(SeqCst), 1);
    });
}

/// Remembers the threshold that it was told last.
struct Told(AtomicU32);

impl CircuitBreaker for Told {
    fn admit(&self, _: &AdmissionRequest<'_>) -> Admission {
        unreachable!("no call runs in a model")
    }

    fn report(&self, _: Ticket, _: Health, _: &Now<'_>) -> Option<Transition> {
        unreachable!("no call runs in a model")
    }

    fn state(&self) -> CircuitState {
        CircuitState::Closed
    }

    fn reconfigure(&self, settings: &BreakerSettings) {
        self.0.store(settings.threshold, SeqCst);
        thread::yield_now();
    }
}

fn of_threshold(threshold: u32) -> Policy {
    policy(1).circuit(threshold, DELAY)
}

#[test]
fn settings_that_change_at_once_leave_the_breaker_with_the_last_ones() {
    explore_up_to(2, || {
        let provider = StaticProvider::new();
        provider.set(KEY.clone(), of_threshold(5));
        let breaker = Arc::new(Told(AtomicU32::new(5)));
        let mut world = world(provider.clone());
        let given = breaker.clone();
        world.default_breaker =
            Arc::new(move |_: &Key, _: &BreakerSettings| -> Arc<dyn CircuitBreaker> { given.clone() });
        let shared = Arc::new((Slot::new(KEY.clone(), true), world));
        let call = |(slot, world): &(Slot, _)| drop(slot.plan_now(world).expect("the provider answers"));
        call(&shared);
        let theirs = (shared.clone(), provider.clone());
        let writer = thread::spawn(move || {
            theirs.1.set(KEY.clone(), of_threshold(7));
            call(&theirs.0);
        });
        let before = provider.set(KEY.clone(), of_threshold(9)).expect("there was one").circuit.threshold;
        call(&shared);
        let (slot, world) = &*shared;
        assert_eq!(slot.with_breaker(&world.fence, |breaker| breaker.state()), Some(CircuitState::Closed));
        writer.join().expect("no panic");
        call(&shared);
        let last = if before == 7 { 9 } else { 7 };
        assert_eq!(breaker.0.load(SeqCst), last);
    });
}
