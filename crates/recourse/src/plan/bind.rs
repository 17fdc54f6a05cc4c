//! Policy -> plan: turns names into plugins, by the failure modes where one is missing.

use super::fed::feeding;
use super::glances;
use super::missing_plugin::MissingPlugin;
use super::plan::{BoundBreaker, BoundBudget, BoundClassifier, NEVER_FRESH, Plan, Start, Stop};
use super::plans::PlanRef;
use super::resolve::Answer;
use super::slot::State;
use super::world::{Generations, World};
use crate::call::{Nesting, Rules};
use crate::fence::PanicError;
use crate::missing::{MissingBreaker, MissingBudget, MissingClassifier, MissingPolicy, MissingTrigger};
use crate::sync::AtomicU64;
use recourse_core::policy::{BudgetRef, CircuitPolicy, HedgePolicy};
use recourse_core::{
    Attributes, BreakerFactory, BreakerSettings, Classifier, Component, DecisionMode, EffectivePolicy,
    HedgeTrigger, Key, Label, Policy, PolicySource, ProviderError, ProviderErrorKind, Registry, StopReason,
    intern, reason,
};
use recourse_observe::names;
use std::error::Error;
use std::sync::Arc;

/// Source and mode of the policy stand on every plan.
const USUAL_NOTES: usize = 2;

/// A plan in the making: what was found out so far.
struct Binding<'w> {
    world: &'w World,
    key: &'w Key,
    notes: Attributes,
    stop: Option<Stop>,
    policy_error: Option<Arc<dyn Error + Send + Sync>>,
    /// A plugin panicked while it was bound: that is not to be kept, and the next call binds again.
    broken: bool,
}

impl World {
    /// Binds the provider's answer for a key. Without `state` the key has neither breaker nor latencies.
    pub(super) fn bind(
        &self,
        key: &Key,
        answer: Answer,
        at: (Generations, u64),
        state: Option<&State>,
    ) -> Plan {
        let mut binding = Binding {
            world: self,
            key,
            notes: Attributes::with_capacity(USUAL_NOTES),
            stop: None,
            policy_error: None,
            broken: false,
        };
        let provided = answer.as_ref().ok().cloned();
        let is_final = is_final(&answer);
        let effective = binding.effective(answer);
        let has_policy = effective.is_some();
        let normal = self
            .last_normal
            .share(effective.unwrap_or_else(|| normalized(&Policy::new(), PolicySource::Default)));
        let policy = &normal.effective.policy;
        let classifier = binding.classifier(&policy.retry.classifier_name);
        let trigger = binding.trigger(&policy.hedge);
        let breaker = binding.breaker(&policy.circuit, state);
        let wants_latency = trigger.as_ref().is_some_and(|trigger| binding.wants_latency(trigger));
        if state.is_none() && has_policy {
            binding.notes.set(names::STATE_CAPPED, "true");
        }
        let rules = Rules {
            max_hedges: trigger.as_ref().map_or(0, |_| policy.hedge.max_hedges),
            hedge_on_failure: trigger.as_ref().is_some_and(|trigger| binding.wants_failures(trigger)),
            ..Rules::new(&normal.effective)
        };
        let latency = state.filter(|_| wants_latency).map(State::latency);
        let retry_budget = binding.budget("retry.budget.name", &policy.retry.budget);
        let hedge_budget = binding.budget("hedge.budget.name", &policy.hedge.budget);
        let retry_budget =
            if rules.max_hedges > 0 { feeding(retry_budget, &hedge_budget) } else { retry_budget };
        let generations = if is_final && !binding.broken { at.0 } else { at.0.uncounted() };
        let starts_early = self.clock_trusted && binding.stop.is_none();
        let budgets_first = !retry_budget.ignores_first();
        let is_brief = starts_early
            && !self.is_watched
            && !budgets_first
            && classifier.values_succeed
            && breaker.as_ref().is_none_or(|breaker| breaker.trusted);
        Plan {
            key: key.clone(),
            budgets_first,
            peeks: breaker.is_some() || matches!(retry_budget, BoundBudget::Found { .. }),
            start: Start {
                epoch: AtomicU64::new(if generations.counted() { at.1 } else { NEVER_FRESH }),
                policy_id: policy.id.as_static().unwrap_or_else(|| intern(&policy.id)),
                time_left: rules.time_left(rules.overall_timeout),
                nesting: Nesting::in_attempt(rules.may_retry(true)),
                is_early: starts_early,
                glance: match &breaker {
                    _ if !is_brief || latency.is_some() => glances::nothing(),
                    Some(breaker) => breaker.glance.clone().unwrap_or_else(glances::nothing),
                    None => glances::free(),
                },
                needs_pass: is_brief && (breaker.is_some() || latency.is_some()),
            },
            rules,
            classifier,
            retry_budget,
            hedge_budget,
            latency,
            trigger,
            breaker,
            has_policy,
            normal: normal.clone(),
            stop: binding.stop,
            policy_error: binding.policy_error,
            notes: binding.notes,
            capped: state.is_none(),
            provided: provided.filter(|_| !binding.broken),
            generations,
        }
    }

    /// What makes the breakers of this policy; `None` where it is not registered.
    fn factory(&self, circuit: &CircuitPolicy) -> Option<Arc<dyn BreakerFactory>> {
        match circuit.breaker_name.is_empty() {
            true => Some(self.default_breaker.clone()),
            false => self.breakers.get(&circuit.breaker_name),
        }
    }

    /// The plan of one call with a key past the cap.
    pub(crate) async fn plan_without_state(&self, key: Key) -> PlanRef<'_> {
        let at = self.now();
        let answer = self.ask(&key).await;
        PlanRef::Counted(Arc::new(self.bind(&key, answer, at, None)))
    }

    /// A plan that ends every call: its key's text is none.
    pub(super) fn bind_invalid(&self, cause: Arc<dyn Error + Send + Sync>) -> Plan {
        let key = Key::from_static(reason::INVALID_KEY);
        let mut plan = self.bind(&key, Err(cause.clone()), (self.generations(), 0), None);
        (plan.has_policy, plan.notes, plan.capped) = (false, Attributes::new(), false);
        plan.stop = Some(Stop { reason: StopReason::InvalidKey, cause });
        let start = &mut plan.start;
        (start.is_early, start.needs_pass) = (false, false);
        start.glance = glances::nothing();
        plan
    }
}

/// Whether the provider would say the same until it counts a change. One that is down may be up at the next call.
fn is_final(answer: &Answer) -> bool {
    match answer {
        Ok(_) => true,
        Err(cause) => cause
            .downcast_ref::<ProviderError>()
            .is_some_and(|error| error.kind == ProviderErrorKind::PolicyNotFound),
    }
}

/// Why there is no policy, as a code: the text may hold anything, and stands in the error.
fn code_of(cause: &(dyn Error + Send + Sync + 'static)) -> &'static str {
    match cause.downcast_ref::<ProviderError>() {
        Some(error) => error.kind.as_str(),
        None if cause.is::<PanicError>() => reason::PANIC_IN_PROVIDER,
        None => reason::POLICY_FETCH_FAILED,
    }
}

/// A policy of our own is inside every limit.
fn normalized(policy: &Policy, source: PolicySource) -> EffectivePolicy {
    policy.normalize(source).unwrap_or_else(|_| unreachable!("the default policy has no bad number"))
}

impl Binding<'_> {
    fn effective(&mut self, answer: Answer) -> Option<EffectivePolicy> {
        let normal = answer.and_then(|provided| {
            let effective = provided.policy.normalize(provided.source);
            let effective = effective.map_err(|error| Arc::new(error) as Arc<dyn Error + Send + Sync>)?;
            Ok(self.with_reachable_threshold(effective))
        });
        let mode = self.world.modes.policy;
        self.notes.set(names::POLICY_SOURCE, PolicySource::Unknown.as_str());
        self.notes.set(names::POLICY_MODE, DecisionMode::Standard.as_str());
        let effective = match normal {
            Ok(effective) => effective,
            Err(cause) => {
                self.notes.set(names::POLICY_ERROR, code_of(&*cause));
                self.policy_error = Some(cause.clone());
                self.notes.set(names::POLICY_MODE, mode.mode().as_str());
                match mode {
                    MissingPolicy::Allow => normalized(&Policy::new().max_attempts(1), PolicySource::Unknown),
                    MissingPolicy::Fallback => normalized(&Policy::new(), PolicySource::Default),
                    MissingPolicy::Deny => {
                        self.stop = Some(Stop { reason: StopReason::NoPolicy, cause });
                        return None;
                    }
                }
            }
        };
        self.notes.set(names::POLICY_SOURCE, effective.source.as_str());
        if !effective.changes.is_empty() {
            let fields: Vec<_> = effective.changed_fields().collect();
            self.notes.set(names::POLICY_NORMALIZED_FIELDS, fields.join(","));
        }
        Some(effective)
    }

    /// A threshold that the breaker can't reach is brought down to one that it can.
    fn with_reachable_threshold(&mut self, effective: EffectivePolicy) -> EffectivePolicy {
        if !effective.policy.circuit.enabled {
            return effective;
        }
        let world = self.world;
        let asked = world.fence.run(Component::Breaker, || {
            world.factory(&effective.policy.circuit).map_or(u32::MAX, |factory| factory.max_threshold())
        });
        self.broken |= asked.is_err();
        effective.with_max_threshold(asked.unwrap_or(u32::MAX))
    }

    fn classifier(&mut self, name: &Label) -> BoundClassifier {
        let world = self.world;
        let bound = |plugin: Arc<dyn Classifier>, fallback: Option<Attributes>| BoundClassifier {
            trusted: world.trusted.iter().any(|own| Arc::ptr_eq(own, &plugin)),
            // A stand-in is named in every outcome, so every result has to have one.
            values_succeed: fallback.is_none()
                && !world.fence.run(Component::Classifier, || plugin.judges_values()).unwrap_or(true),
            plugin,
            fallback,
        };
        if name.is_empty() {
            return bound(world.default_classifier.clone(), None);
        }
        if let Some(plugin) = world.classifiers.get(name) {
            return bound(plugin, None);
        }
        if world.modes.classifier == MissingClassifier::Deny {
            self.notes.set(names::CLASSIFIER_ERROR, reason::CLASSIFIER_NOT_FOUND);
            self.notes.set(names::CLASSIFIER_NAME, name.clone());
            self.refuse(StopReason::ClassifierNotFound, "retry.classifier_name", name, &world.classifiers);
        }
        let fallback = Attributes::new()
            .with(names::CLASSIFIER_NOT_FOUND, "true")
            .with(names::CLASSIFIER_NAME, name.clone())
            .with(names::CLASSIFIER_FALLBACK, "default");
        bound(world.default_classifier.clone(), Some(fallback))
    }

    fn budget(&mut self, field: &'static str, budget: &BudgetRef) -> BoundBudget {
        let (name, cost) = (budget.name.clone(), budget.cost);
        if name.is_empty() {
            return BoundBudget::None;
        }
        match self.world.budgets.get(&name) {
            Some(plugin) => {
                let fence = &self.world.fence;
                let hears_ends = fence.run(Component::Budget, || plugin.wants_outcomes());
                let asked_first = fence.run(Component::Budget, || plugin.wants_first_attempts());
                let is_fed = fence.run(Component::Budget, || plugin.is_fed_by_first_attempts());
                self.broken |= hears_ends.is_err() || asked_first.is_err() || is_fed.is_err();
                // What it didn't say is what it would be by default.
                let (hears_ends, asked_first) = (hears_ends.unwrap_or(true), asked_first.unwrap_or(true));
                let is_fed = is_fed.unwrap_or(false);
                BoundBudget::Found { plugin, name, cost, hears_ends, asked_first, is_fed }
            }
            None => {
                let allow = self.world.modes.budget == MissingBudget::AllowUnsafe;
                let cause = Arc::new(self.missing(field, &name, &self.world.budgets));
                BoundBudget::Missing { name, cost, allow, cause }
            }
        }
    }

    fn trigger(&mut self, hedge: &HedgePolicy) -> Option<Arc<dyn HedgeTrigger>> {
        if !hedge.enabled {
            return None;
        }
        if hedge.trigger_name.is_empty() {
            return Some(self.world.default_trigger.clone());
        }
        if let Some(trigger) = self.world.triggers.get(&hedge.trigger_name) {
            return Some(trigger);
        }
        self.notes.set(names::TRIGGER_NOT_FOUND, hedge.trigger_name.clone());
        match self.world.modes.trigger {
            MissingTrigger::Fallback => Some(self.world.default_trigger.clone()),
            MissingTrigger::Deny => None,
        }
    }

    /// Latencies are recorded only for a trigger that reads them.
    fn wants_latency(&mut self, trigger: &Arc<dyn HedgeTrigger>) -> bool {
        let wants = self.world.fence.run(Component::Trigger, || trigger.wants_latency());
        self.broken |= wants.is_err();
        wants.unwrap_or(false)
    }

    fn wants_failures(&mut self, trigger: &Arc<dyn HedgeTrigger>) -> bool {
        let wants = self.world.fence.run(Component::Trigger, || trigger.wants_failures());
        self.broken |= wants.is_err();
        wants.unwrap_or(false)
    }

    fn breaker(&mut self, circuit: &CircuitPolicy, state: Option<&State>) -> Option<BoundBreaker> {
        if !circuit.enabled {
            return None;
        }
        let world = self.world;
        let name = &circuit.breaker_name;
        let factory = match world.factory(circuit) {
            Some(factory) => factory,
            None if world.modes.breaker == MissingBreaker::Fallback => {
                self.notes.set(names::BREAKER_FALLBACK, recourse_circuit::CONSECUTIVE_FAILURES);
                world.default_breaker.clone()
            }
            None => {
                self.refuse(StopReason::BreakerNotFound, "circuit.breaker_name", name, &world.breakers);
                return None;
            }
        };
        let settings = BreakerSettings::new(circuit.threshold, circuit.cooldown);
        let plugin = state?.breaker(self.key, &factory, settings, &world.fence);
        self.broken |= plugin.is_none();
        let plugin = plugin?;
        let glance = world.fence.run(Component::Breaker, || plugin.glance());
        self.broken |= glance.is_err();
        Some(BoundBreaker {
            glance: glance.ok().flatten(),
            trusted: world.trusted_breakers.iter().any(|own| Arc::ptr_eq(own, &factory)),
            plugin,
        })
    }

    fn refuse<P: ?Sized>(
        &mut self,
        reason: StopReason,
        field: &'static str,
        name: &Label,
        known: &Registry<P>,
    ) {
        let cause = self.missing(field, name, known);
        if self.stop.is_none() {
            self.stop = Some(Stop { reason, cause: Arc::new(cause) });
        }
    }

    fn missing<P: ?Sized>(&self, field: &'static str, name: &Label, known: &Registry<P>) -> MissingPlugin {
        MissingPlugin { key: Some(self.key.clone()), field, name: name.clone(), registered: known.names() }
    }
}
