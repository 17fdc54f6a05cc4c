//! [`Explanation`]: what a call with a key would do, in words and as data.

use crate::key_ref::KeyRef;
use crate::plan::{BoundBudget, Plan, Slot};
use crate::shared::Shared;
use recourse_core::{Attributes, CircuitState, EffectivePolicy, Key, KeyError, Label, StopReason};
use std::fmt;
use std::time::Duration;

/// What a call with a key would do now.
///
/// ```
/// use recourse::{Executor, Policy};
/// use std::time::Duration;
///
/// let executor = Executor::builder()
///     .policy("search.Query", Policy::low_latency().max_attempts(99))
///     .build()?;
/// let explanation = executor.explain("search.Query")?;
/// assert_eq!(explanation.worst_case_attempts, 30);
/// assert_eq!(explanation.worst_case_duration, Some(Duration::from_secs(1)));
/// println!("{explanation}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Explanation {
    /// The key.
    pub key: Key,
    /// The policy, where it came from and what normalisation changed; `None` where there is none.
    pub policy: Option<EffectivePolicy>,
    /// Why the provider had no usable policy, as text.
    pub policy_error: Option<String>,
    /// Why every call would end at its start, with the cause as text.
    pub stop: Option<(StopReason, String)>,
    /// What every timeline would say.
    pub attributes: Attributes,
    /// What the names in the policy resolve to, by field.
    pub plugins: Vec<(&'static str, Resolved)>,
    /// Attempts that a call launches at most: `max_attempts x (1 + max_hedges)`.
    pub worst_case_attempts: u32,
    /// How long a call takes at most; `None` where nothing limits it.
    pub worst_case_duration: Option<Duration>,
    /// Calls sent for one call of the caller, at most, beyond the first: 2.0 means three times the load.
    pub worst_case_extra_load: f64,
    /// The circuit's state, where the key has a breaker.
    pub circuit: Option<CircuitState>,
}

/// What a name in a policy resolves to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Resolved {
    /// A plugin is registered under it.
    Registered(Label),
    /// The policy names none: this one is used.
    Default(&'static str),
    /// Nothing is registered under it: this is what happens instead.
    Missing(Label, &'static str),
}

impl fmt::Display for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Resolved::Registered(name) => f.pad(name),
            Resolved::Default(name) => write!(f, "{name} (the default)"),
            Resolved::Missing(name, instead) => write!(f, "{name} is not registered: {instead}"),
        }
    }
}

/// Why a key can't be explained.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExplainError {
    /// The text is no key.
    Key(KeyError),
    /// The provider's answer has to be awaited, and no call with this key has done so yet.
    NotAtHand(Key),
}

impl fmt::Display for ExplainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExplainError::Key(error) => write!(f, "{error}"),
            ExplainError::NotAtHand(key) => {
                write!(
                    f,
                    "the policy of {:?} is not at hand: its provider answers later; run a call first",
                    key.as_str()
                )
            }
        }
    }
}

impl std::error::Error for ExplainError {}

impl Explanation {
    pub(crate) fn new(shared: &Shared, key: KeyRef<'_>) -> Result<Self, ExplainError> {
        let key = key.into_key().map_err(ExplainError::Key)?;
        // A key that no call has used takes no place among those that have state.
        let unused = Slot::new(key.clone(), !shared.slots.is_full());
        let slot = shared.slots.find(key.fingerprint(), key.as_str()).unwrap_or(&unused);
        let plan = slot.plan_now(&shared.world).or_else(|| slot.last_plan());
        let plan = plan.ok_or(ExplainError::NotAtHand(key))?;
        let state = slot.with_breaker(&shared.fence, |breaker| breaker.state());
        Ok(Explanation::of(&plan, state))
    }

    fn of(plan: &Plan, circuit: Option<CircuitState>) -> Self {
        let rules = &plan.rules;
        let denied = |budget: &BoundBudget| matches!(budget, BoundBudget::Missing { allow: false, .. });
        let hedges = if denied(&plan.hedge_budget) { 0 } else { rules.max_hedges };
        let attempts = match plan.stop.is_some() || denied(&plan.retry_budget) {
            true => 0,
            false => rules.max_attempts.saturating_mul(hedges + 1),
        };
        Explanation {
            key: plan.key.clone(),
            policy: plan.effective().cloned(),
            policy_error: plan.policy_error.as_ref().map(ToString::to_string),
            stop: plan.stop.as_ref().map(|stop| (stop.reason, stop.cause.to_string())),
            attributes: plan.notes.clone(),
            plugins: plugins(plan),
            worst_case_attempts: attempts,
            worst_case_duration: if attempts == 0 { Some(Duration::ZERO) } else { longest(plan) },
            worst_case_extra_load: f64::from(attempts.saturating_sub(1)),
            circuit: circuit.filter(|_| plan.breaker.is_some()),
        }
    }
}

/// The overall timeout, or the sum of every attempt's and every wait's longest time.
fn longest(plan: &Plan) -> Option<Duration> {
    let rules = &plan.rules;
    let summed = rules.timeout_per_attempt.map(|attempt| {
        // Any of the waits may be the one that the server asks for.
        let wait = |n| plan.backoff().longest(n).max(rules.max_server_delay);
        // A hedge has the whole timeout from its own start.
        let running = attempt.saturating_mul(rules.max_attempts.saturating_mul(rules.max_hedges + 1));
        (0..rules.max_attempts.saturating_sub(1)).fold(running, |sum, n| sum.saturating_add(wait(n)))
    });
    match (rules.overall_timeout, summed) {
        (Some(overall), Some(summed)) => Some(overall.min(summed)),
        (overall, summed) => overall.or(summed),
    }
}

fn plugins(plan: &Plan) -> Vec<(&'static str, Resolved)> {
    let Some(effective) = plan.effective() else {
        return Vec::new();
    };
    let policy = &effective.policy;
    let named = |name: &Label, default| match name.is_empty() {
        true => Resolved::Default(default),
        false => Resolved::Registered(name.clone()),
    };
    let budget = |bound: &BoundBudget, instead| match bound {
        bound if !bound.is_named() => Resolved::Default("no budget"),
        BoundBudget::None => Resolved::Default("no budget"),
        BoundBudget::Found { name, .. } => Resolved::Registered(name.clone()),
        BoundBudget::Missing { name, allow: true, .. } => {
            Resolved::Missing(name.clone(), "attempts go unguarded")
        }
        BoundBudget::Missing { name, .. } => Resolved::Missing(name.clone(), instead),
    };
    let missing = |name: &Label, instead| Resolved::Missing(name.clone(), instead);
    let denied = |reason| plan.stop.as_ref().is_some_and(|stop| stop.reason == reason);
    let classifier = &policy.retry.classifier_name;
    let mut plugins = vec![(
        "retry.classifier_name",
        match &plan.classifier.fallback {
            Some(_) if denied(StopReason::ClassifierNotFound) => missing(classifier, "every call fails"),
            Some(_) => missing(classifier, "the default classifier judges"),
            None if plan.classifier.is_auto() => named(classifier, "auto"),
            None => named(classifier, "the executor's own"),
        },
    )];
    plugins.push(("retry.budget.name", budget(&plan.retry_budget, "every call fails")));
    if policy.hedge.enabled {
        let trigger = &policy.hedge.trigger_name;
        let known = plan.notes.get(recourse_observe::names::TRIGGER_NOT_FOUND).is_none();
        plugins.push((
            "hedge.trigger_name",
            match (known, &plan.trigger) {
                (true, _) => named(trigger, "fixed_delay"),
                (false, Some(_)) => missing(trigger, "the fixed delay decides"),
                (false, None) => missing(trigger, "no hedge is launched"),
            },
        ));
        plugins.push(("hedge.budget.name", budget(&plan.hedge_budget, "no hedge is launched")));
    }
    if policy.circuit.enabled {
        let breaker = &policy.circuit.breaker_name;
        let known = plan.notes.get(recourse_observe::names::BREAKER_FALLBACK).is_none();
        plugins.push((
            "circuit.breaker_name",
            match known {
                _ if denied(StopReason::BreakerNotFound) => missing(breaker, "every call fails"),
                true => named(breaker, recourse_circuit::CONSECUTIVE_FAILURES),
                false => missing(breaker, "consecutive failures decide"),
            },
        ));
    }
    plugins
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.key)?;
        if let Some((stop, cause)) = &self.stop {
            write!(f, "\n  every call fails at its start: {stop}: {cause}")?;
        }
        let Some(effective) = &self.policy else {
            return Ok(());
        };
        let (retry, hedge, circuit) =
            (&effective.policy.retry, &effective.policy.hedge, &effective.policy.circuit);
        write!(f, "\n  policy from: {}", effective.source)?;
        if let Some(error) = &self.policy_error {
            write!(f, ", for there was no usable one: {error}")?;
        }
        if !effective.policy.id.is_empty() {
            write!(f, ", id {}", effective.policy.id)?;
        }
        for change in &effective.changes {
            write!(f, "\n  normalised: {change}")?;
        }
        write!(
            f,
            "\n  attempts: {}, backoff {:?} to {:?} x{} with {} jitter, server delays up to {:?}",
            retry.max_attempts,
            retry.initial_backoff,
            retry.max_backoff,
            retry.backoff_multiplier,
            retry.jitter,
            retry.max_server_delay
        )?;
        if retry.leave_to_outer {
            f.write_str(", one inside an attempt that may be retried")?;
        }
        let timeout =
            |timeout: Option<Duration>| timeout.map_or("off".to_owned(), |timeout| format!("{timeout:?}"));
        write!(
            f,
            "\n  timeouts: {} an attempt, {} in all",
            timeout(retry.timeout_per_attempt),
            timeout(retry.overall_timeout)
        )?;
        match hedge.enabled {
            true if hedge.trigger_name.is_empty() => write!(
                f,
                "\n  hedging: at most {} beside a primary, {:?} apart",
                hedge.max_hedges, hedge.hedge_delay
            )?,
            true => write!(f, "\n  hedging: at most {} beside a primary", hedge.max_hedges)?,
            false => f.write_str("\n  hedging: off")?,
        }
        match circuit.enabled {
            true if matches!(&*circuit.breaker_name, "" | recourse_circuit::CONSECUTIVE_FAILURES) => write!(
                f,
                "\n  circuit: opens after {} failed attempts in a row, for {:?}",
                circuit.threshold, circuit.cooldown
            )?,
            true => write!(
                f,
                "\n  circuit: as its breaker says, with a threshold of {} and a cooldown of {:?}",
                circuit.threshold, circuit.cooldown
            )?,
            false => f.write_str("\n  circuit: off")?,
        }
        if let Some(state) = self.circuit {
            write!(f, "; now {state}")?;
        }
        for (field, plugin) in &self.plugins {
            write!(f, "\n  {field}: {plugin}")?;
        }
        write!(
            f,
            "\n  worst case: {} attempts, {}, {}x extra load",
            self.worst_case_attempts,
            self.worst_case_duration.map_or("no time limit".to_owned(), |time| format!("{time:?}")),
            self.worst_case_extra_load
        )?;
        if !self.attributes.is_empty() {
            write!(f, "\n  attributes: {}", self.attributes)?;
        }
        Ok(())
    }
}
