//! [`HalfPatience`]: a hedge trigger.

use recourse_core::{HedgeDecision, HedgeState, HedgeTrigger};

/// Launches one hedge, half-way through the policy's delay.
#[derive(Clone, Copy, Debug)]
pub struct HalfPatience;

impl HedgeTrigger for HalfPatience {
    fn should_spawn_hedge(&self, state: &HedgeState) -> HedgeDecision {
        if state.launched() > 1 {
            return HedgeDecision::never();
        }
        match (state.hedge_delay() / 2).checked_sub(state.elapsed()) {
            Some(left) if !left.is_zero() => HedgeDecision::check_in(left),
            _ => HedgeDecision::spawn(),
        }
    }

    fn wants_latency(&self) -> bool {
        false
    }
}
