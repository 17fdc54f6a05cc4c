//! Model checks of the plan cache: every order of its threads' steps. `cargo xtask model` runs them.
//!
//! Real are slots, plans, provider, registries and the process's epoch; the locks and cells below them are loom's or
//! stand-ins ([`crate::sync`]). Tables are small here, and a key keeps its first two plans.

mod plans;
mod slots;
mod state;

use super::{LastNormal, Modes, PlanRef, World};
use crate::classify;
use crate::fence::Fence;
use crate::missing::MissingPolicy;
use recourse_core::{
    Admission, AdmissionRequest, BreakerSettings, CircuitBreaker, CircuitState, Health, Key, Now, Policy,
    PolicyProvider, Registry, Ticket, Transition,
};
use std::sync::Arc;

static KEY: Key = Key::from_static("svc.op");

/// A world of this provider, with nothing registered.
fn world(provider: impl PolicyProvider + 'static) -> World {
    World {
        provider: Arc::new(provider),
        classifiers: Registry::new(),
        budgets: Registry::new(),
        triggers: Registry::new(),
        breakers: Registry::new(),
        default_classifier: classify::auto(),
        default_trigger: Arc::new(recourse_hedge::FixedDelay),
        default_breaker: Arc::new(|_: &Key, _: &BreakerSettings| -> Arc<dyn CircuitBreaker> {
            Arc::new(Closed)
        }),
        trusted: Vec::new(),
        trusted_breakers: Vec::new(),
        clock_trusted: true,
        is_watched: false,
        modes: Modes { policy: MissingPolicy::Deny, ..Modes::default() },
        // What a model finds is a panic: it has to get out.
        fence: Arc::new(Fence::new(false)),
        last_normal: LastNormal::new(),
    }
}

/// A policy that is known by its number.
fn policy(number: u32) -> Policy {
    Policy::new().max_attempts(number)
}

/// The number of the policy that a plan is bound to.
fn number(plan: &PlanRef<'_>) -> u32 {
    plan.effective().map_or(0, |effective| effective.policy.retry.max_attempts)
}

/// A breaker without steps of its own.
struct Closed;

impl CircuitBreaker for Closed {
    fn admit(&self, _: &AdmissionRequest<'_>) -> Admission {
        unreachable!("no call runs in a model")
    }

    fn report(&self, _: Ticket, _: Health, _: &Now<'_>) -> Option<Transition> {
        unreachable!("no call runs in a model")
    }

    fn state(&self) -> CircuitState {
        CircuitState::Closed
    }
}
