//! Triggers that have the executor look again and again, or panic where something is missing.

use crate::assert_caught;
use recourse_core::{HedgeDecision, HedgeState, HedgeTrigger};
use recourse_test::ScriptedTrigger;
use recourse_test::invariants::{trigger_never_spins, trigger_spares_quick_calls};
use std::time::Duration;

#[test]
fn one_that_asks_again_at_once_is_caught() {
    let spins = ScriptedTrigger::new(HedgeDecision::check_in(Duration::ZERO));
    assert_caught("it spins: 200 looks between 0ns and 200ms of Group", || trigger_never_spins(&spins));
    let seldom = ScriptedTrigger::new(HedgeDecision::check_in(Duration::from_millis(5)));
    trigger_never_spins(&seldom);
}

/// Takes it for granted that there are latencies.
struct Trusting;

impl HedgeTrigger for Trusting {
    fn should_spawn_hedge(&self, state: &HedgeState) -> HedgeDecision {
        let p95 = state.latency().expect("latencies").p95;
        if state.elapsed() > p95 { HedgeDecision::spawn() } else { HedgeDecision::check_in(p95) }
    }
}

#[test]
fn one_that_panics_without_latencies_is_caught() {
    assert_caught("it panicked in should_spawn_hedge: HedgeState {", || trigger_never_spins(&Trusting));
}

/// Adds what may not be added.
struct Overflows;

impl HedgeTrigger for Overflows {
    fn should_spawn_hedge(&self, state: &HedgeState) -> HedgeDecision {
        HedgeDecision::check_in(state.hedge_delay() * 2)
    }
}

#[test]
fn one_that_overflows_is_caught() {
    assert_caught("overflow when multiplying duration by scalar", || trigger_never_spins(&Overflows));
}

/// One hedge at every look, whatever is going on; or one each time that the delay has passed once more.
struct Launches {
    always: bool,
}

impl HedgeTrigger for Launches {
    fn should_spawn_hedge(&self, state: &HedgeState) -> HedgeDecision {
        let due = state.hedge_delay().saturating_mul(state.launched());
        if self.always || state.elapsed() >= due {
            let mut decision = HedgeDecision::spawn();
            decision.next_check_in = Some(state.hedge_delay());
            return decision;
        }
        HedgeDecision::check_in(due.saturating_sub(state.elapsed()))
    }
}

#[test]
fn one_that_always_launches_is_caught() {
    assert_caught("it hedges a quick call: after 0ns of Group {", || {
        trigger_spares_quick_calls(&Launches { always: true });
    });
    trigger_spares_quick_calls(&Launches { always: false });
}

#[test]
fn one_that_panics_at_a_quick_call_is_caught() {
    assert_caught("it panicked in should_spawn_hedge", || trigger_spares_quick_calls(&Trusting));
}
