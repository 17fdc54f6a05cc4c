//! [`Slot`]: the place of one key, with its plan and the state that outlives plans.

use super::plan::Plan;
use super::plans::{PlanRef, Plans};
use super::resolve::Answer;
use super::world::{Generations, World};
use crate::fence::Fence;
use crate::sync::{Mutex, OnceLock};
use recourse_core::{
    BreakerFactory, BreakerSettings, CircuitBreaker, CircuitMode, Component, Generation, Key, ModeChange,
    Moment, Now,
};
use recourse_hedge::LatencyWindow;
use std::sync::Arc;

pub(crate) struct Slot {
    pub(crate) key: Key,
    plans: Plans,
    /// One bind at a time, so that the newest plan is the last one stored.
    binding: Mutex<()>,
    /// `None` past the cap of keys.
    state: Option<State>,
}

/// What a key keeps while policies and plugins change.
#[derive(Default)]
pub(crate) struct State {
    breaker: Mutex<Option<Kept>>,
    latency: OnceLock<Arc<LatencyWindow>>,
}

#[derive(Clone)]
struct Kept {
    factory: Arc<dyn BreakerFactory>,
    settings: BreakerSettings,
    breaker: Arc<dyn CircuitBreaker>,
    /// The mode that it was set to from outside; none where it is as its kind makes it, or set back to enforcing.
    mode: Option<CircuitMode>,
}

impl Slot {
    pub(crate) fn new(key: Key, keeps_state: bool) -> Self {
        let state = keeps_state.then(State::default);
        Slot { key, plans: Plans::default(), binding: Mutex::new(()), state }
    }

    /// The key's first plan, if nothing has changed since it was bound: what most keys have all their life.
    #[inline]
    pub(crate) fn first_plan_if_fresh(&self) -> Option<&Plan> {
        self.plans.first_if_fresh(Generation::epoch())
    }

    /// The plan, if nothing has changed since it was bound.
    #[inline]
    pub(crate) fn fresh(&self, world: &World) -> Option<PlanRef<'_>> {
        let epoch = Generation::epoch();
        match self.plans.fresh(epoch) {
            Some(plan) => Some(plan),
            None => self.still_good(world, epoch),
        }
    }

    /// The epoch moved, but perhaps nothing that the last plan is bound to.
    #[cold]
    fn still_good(&self, world: &World, epoch: u64) -> Option<PlanRef<'_>> {
        let plan = self.plans.last()?;
        if !plan.generations.still(&world.generations()) {
            return None;
        }
        plan.found_good(epoch);
        Some(plan)
    }

    /// The plan, asking the provider where that answers at once; `None` where it has to be awaited.
    #[inline]
    pub(crate) fn plan_now(&self, world: &World) -> Option<PlanRef<'_>> {
        match self.fresh(world) {
            Some(plan) => Some(plan),
            None => self.ask_now(world),
        }
    }

    #[cold]
    fn ask_now(&self, world: &World) -> Option<PlanRef<'_>> {
        let at = world.now();
        let answer = world.ask_now(&self.key)?;
        Some(self.bind(world, answer, at))
    }

    /// The plan, awaiting the provider where it must be.
    pub(crate) async fn plan(&self, world: &World) -> PlanRef<'_> {
        if let Some(plan) = self.plan_now(world) {
            return plan;
        }
        let at = world.now();
        let answer = world.ask(&self.key).await;
        self.bind(world, answer, at)
    }

    /// The plan of an earlier call, fresh or not.
    pub(crate) fn last_plan(&self) -> Option<PlanRef<'_>> {
        self.plans.last()
    }

    /// Binds the provider's answer, as of `at`.
    pub(super) fn bind(&self, world: &World, answer: Answer, at: (Generations, u64)) -> PlanRef<'_> {
        let _one = self.binding.lock();
        if let Some(plan) = self.plans.last() {
            if plan.is_fresh(Generation::epoch()) || unchanged(&plan, &answer, &at.0) {
                return plan;
            }
        }
        self.plans.push(world.bind(&self.key, answer, at, self.state.as_ref()))
    }

    /// Asks the key's breaker, if it has one that can answer.
    pub(crate) fn with_breaker<R>(
        &self,
        fence: &Fence,
        ask: impl FnOnce(&dyn CircuitBreaker) -> R,
    ) -> Option<R> {
        let kept = self.state.as_ref()?.breaker.lock();
        let breaker = kept.as_ref().map(|kept| kept.breaker.clone())?;
        drop(kept);
        fence.run(Component::Breaker, || ask(&*breaker)).ok()
    }
}

impl Slot {
    /// Sets the mode of the key's breaker, and keeps it in mind. One that can't be overridden enforces, so that is set
    /// already, and no mode of a breaker before it comes back.
    pub(crate) fn change_mode(&self, fence: &Fence, mode: CircuitMode, at: Moment) -> ModeChange {
        let _one = self.binding.lock();
        let asked = self.with_breaker(fence, |breaker| breaker.change_mode(mode, &Now::at(at)));
        let change = match asked {
            Some(ModeChange::Unsupported) if mode == CircuitMode::Enforcing => ModeChange::Set(None),
            asked => asked.unwrap_or(ModeChange::Unsupported),
        };
        let kept = self.state.as_ref().map(|state| state.breaker.lock());
        let is_set = matches!(change, ModeChange::Set(_));
        if let Some(kept) = kept.filter(|_| is_set).as_mut().and_then(|kept| kept.as_mut()) {
            kept.mode = (mode != CircuitMode::Enforcing).then_some(mode);
        }
        change
    }

    /// Whether a call would ask a breaker now. Where the provider's answer has to be awaited, it is that of the last
    /// call; and a key without a breaker is not looked up.
    pub(crate) fn has_circuit(&self, world: &World) -> bool {
        let has_breaker = self.state.as_ref().is_some_and(|state| state.breaker.lock().is_some());
        let plan = || self.plan_now(world).or_else(|| self.last_plan());
        has_breaker && plan().is_some_and(|plan| plan.breaker.is_some())
    }
}

/// Whether a provider that doesn't count its changes gave the answer that the plan is bound to already.
fn unchanged(plan: &Plan, answer: &Answer, now: &Generations) -> bool {
    match (&plan.provided, answer) {
        (Some(before), Ok(answer)) => {
            plan.generations.same_registries(now)
                && before.source == answer.source
                && (Arc::ptr_eq(&before.policy, &answer.policy) || before.policy == answer.policy)
                && !now.counted()
        }
        _ => false,
    }
}

impl State {
    pub(super) fn latency(&self) -> Arc<LatencyWindow> {
        self.latency.get_or_init(|| Arc::new(LatencyWindow::new())).clone()
    }

    /// The key's breaker: the same one as long as its factory is, told of changed settings.
    pub(super) fn breaker(
        &self,
        key: &Key,
        factory: &Arc<dyn BreakerFactory>,
        settings: BreakerSettings,
        fence: &Fence,
    ) -> Option<Arc<dyn CircuitBreaker>> {
        // Plans are bound one at a time; this lock is only for those who look, and foreign code runs outside it.
        let before = self.breaker.lock().as_ref().map(|kept| kept.clone());
        let (breaker, mode) = match before {
            Some(kept) if !Arc::ptr_eq(&kept.factory, factory) => {
                let breaker = fence.run(Component::Breaker, || factory.breaker(key, &settings)).ok()?;
                // What an operator has set holds for whatever stands there; how a kind makes its breakers does not.
                let _ =
                    fence.run(Component::Breaker, || kept.mode.is_some_and(|mode| breaker.set_mode(mode)));
                (breaker, kept.mode)
            }
            Some(kept) if kept.settings == settings => return Some(kept.breaker),
            Some(Kept { breaker, mode, .. }) => {
                let _ = fence.run(Component::Breaker, || breaker.reconfigure(&settings));
                (breaker, mode)
            }
            None => (fence.run(Component::Breaker, || factory.breaker(key, &settings)).ok()?, None),
        };
        *self.breaker.lock() =
            Some(Kept { factory: factory.clone(), settings, breaker: breaker.clone(), mode });
        Some(breaker)
    }
}
