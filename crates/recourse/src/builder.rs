//! [`ExecutorBuilder`]: collects what an executor is made of, and checks it as a whole.

use crate::breakers;
use crate::build_error::{BuildError, Problem};
use crate::classify;
use crate::executor::Executor;
use crate::fence::Fence;
use crate::key_ref::KeyRef;
use crate::missing::{MissingBreaker, MissingBudget, MissingClassifier, MissingPolicy, MissingTrigger};
use crate::plan::{LastNormal, Modes, Slots, World};
use crate::runtime::random::Random;
use crate::runtime::{self, FuturesTimerSleeper, SystemClock};
use crate::shared::Shared;
use crate::static_check::{self, StaticCheck, StaticPolicy};
use recourse_core::{
    BreakerFactory, Budget, Classifier, Clock, Component, HedgeTrigger, Label, Observer, Policy,
    PolicyProvider, Registry, RegistryError, Sleeper,
};
use std::fmt;
use std::sync::Arc;

/// Keys with state of their own, unless the builder says otherwise.
const DEFAULT_MAX_KEYS: usize = 10_000;

/// The largest cap of keys that can be asked for.
const MOST_MAX_KEYS: usize = 1 << 22;

/// Makes an [`Executor`]. The setters keep what they are given; [`build`](Self::build) checks it as a whole.
#[must_use = "a builder does nothing until it builds"]
pub struct ExecutorBuilder {
    problems: Vec<Problem>,
    policies: Vec<StaticPolicy>,
    provider: Option<Arc<dyn PolicyProvider>>,
    classifiers: Plugins<dyn Classifier>,
    budgets: Plugins<dyn Budget>,
    triggers: Plugins<dyn HedgeTrigger>,
    breakers: Plugins<dyn BreakerFactory>,
    /// Breakers of our own kinds, as they were set up here: they need no fence.
    own_breakers: Vec<Arc<dyn BreakerFactory>>,
    default_classifier: Option<Arc<dyn Classifier>>,
    observers: Vec<Arc<dyn Observer>>,
    clock: Option<Box<dyn Clock>>,
    /// Whether the clock is one of our own.
    clock_trusted: bool,
    sleeper: Option<Arc<dyn Sleeper>>,
    seed: Option<u64>,
    missing_policy: Option<MissingPolicy>,
    missing_classifier: Option<MissingClassifier>,
    missing_budget: Option<MissingBudget>,
    missing_trigger: Option<MissingTrigger>,
    missing_breaker: Option<MissingBreaker>,
    late_registration: bool,
    strict: bool,
    recover_panics: bool,
    max_keys: usize,
}

impl Executor {
    /// A builder without policies, with the built-in plugins.
    pub fn builder() -> ExecutorBuilder {
        ExecutorBuilder::default()
    }
}

/// A registry, if the user brought one, and what is to be registered.
struct Plugins<P: ?Sized> {
    kind: &'static str,
    registry: Option<Registry<P>>,
    named: Vec<(Label, Arc<P>)>,
}

impl<P: ?Sized> Plugins<P> {
    fn new(kind: &'static str) -> Self {
        Plugins { kind, registry: None, named: Vec::new() }
    }

    /// The registry with everything in it. A built-in gives way to whatever the user's own registry holds.
    fn build(
        self,
        builtin: impl IntoIterator<Item = (&'static str, Arc<P>)>,
        problems: &mut Vec<Problem>,
    ) -> Registry<P> {
        let registry = self.registry.unwrap_or_default();
        for (name, plugin) in builtin {
            match registry.register_shared(name, plugin) {
                Ok(()) | Err(RegistryError::Taken(_)) => {}
                Err(error) => problems.push(Problem::Registry { kind: self.kind, error }),
            }
        }
        for (name, plugin) in self.named {
            if let Err(error) = registry.register_shared(name, plugin) {
                problems.push(Problem::Registry { kind: self.kind, error });
            }
        }
        registry
    }
}

impl Default for ExecutorBuilder {
    fn default() -> Self {
        ExecutorBuilder {
            problems: Vec::new(),
            policies: Vec::new(),
            provider: None,
            classifiers: Plugins::new("classifier"),
            budgets: Plugins::new("budget"),
            triggers: Plugins::new("hedge trigger"),
            breakers: Plugins::new("circuit breaker"),
            own_breakers: Vec::new(),
            default_classifier: None,
            observers: Vec::new(),
            clock: None,
            clock_trusted: true,
            sleeper: None,
            seed: None,
            missing_policy: None,
            missing_classifier: None,
            missing_budget: None,
            missing_trigger: None,
            missing_breaker: None,
            late_registration: false,
            strict: false,
            recover_panics: true,
            max_keys: DEFAULT_MAX_KEYS,
        }
    }
}

impl ExecutorBuilder {
    /// The policy of a key. A second one for the same key is an error of [`build`](Self::build).
    pub fn policy<'k>(mut self, key: impl Into<KeyRef<'k>>, policy: Policy) -> Self {
        match key.into().into_key() {
            Ok(key) => self.policies.push(StaticPolicy { key: Some(key), policy }),
            Err(error) => self.problems.push(Problem::Key(error)),
        }
        self
    }

    /// The policies of a file.
    #[cfg(feature = "serde")]
    #[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
    pub fn policies(mut self, set: recourse_core::policy::PolicySet) -> Self {
        self.policies.extend(set.default.map(|policy| StaticPolicy { key: None, policy }));
        self.policies
            .extend(set.policies.into_iter().map(|(key, policy)| StaticPolicy { key: Some(key), policy }));
        self
    }

    /// The policy of every key that has none of its own. A second one is an error of [`build`](Self::build).
    pub fn default_policy(mut self, policy: Policy) -> Self {
        self.policies.push(StaticPolicy { key: None, policy });
        self
    }

    /// Where policies come from. Giving static policies as well is an error of [`build`](Self::build).
    pub fn provider(mut self, provider: impl PolicyProvider + 'static) -> Self {
        self.provider = Some(Arc::new(provider));
        self
    }

    /// Registers a classifier under a name.
    pub fn classifier(mut self, name: impl Into<Label>, classifier: impl Classifier + 'static) -> Self {
        self.classifiers.named.push((name.into(), Arc::new(classifier)));
        self
    }

    /// Registers a budget under a name.
    pub fn budget(mut self, name: impl Into<Label>, budget: impl Budget + 'static) -> Self {
        self.budgets.named.push((name.into(), Arc::new(budget)));
        self
    }

    /// Registers a hedge trigger under a name.
    pub fn hedge_trigger(mut self, name: impl Into<Label>, trigger: impl HedgeTrigger + 'static) -> Self {
        self.triggers.named.push((name.into(), Arc::new(trigger)));
        self
    }

    /// Registers a kind of circuit breaker under a name.
    pub fn circuit_breaker<F: BreakerFactory + 'static>(
        mut self,
        name: impl Into<Label>,
        factory: F,
    ) -> Self {
        let factory: Arc<dyn BreakerFactory> = Arc::new(factory);
        if breakers::is_own::<F>() {
            self.own_breakers.push(factory.clone());
        }
        self.breakers.named.push((name.into(), factory));
        self
    }

    /// Uses a registry of classifiers that others may share. Built-in ones that it lacks are added.
    pub fn classifiers(mut self, registry: Registry<dyn Classifier>) -> Self {
        self.classifiers.registry = Some(registry);
        self
    }

    /// Uses a registry of budgets that others may share.
    pub fn budgets(mut self, registry: Registry<dyn Budget>) -> Self {
        self.budgets.registry = Some(registry);
        self
    }

    /// Uses a registry of hedge triggers that others may share. Built-in ones that it lacks are added.
    pub fn hedge_triggers(mut self, registry: Registry<dyn HedgeTrigger>) -> Self {
        self.triggers.registry = Some(registry);
        self
    }

    /// Uses a registry of circuit breakers that others may share. Built-in ones that it lacks are added.
    pub fn circuit_breakers(mut self, registry: Registry<dyn BreakerFactory>) -> Self {
        self.breakers.registry = Some(registry);
        self
    }

    /// Judges the calls whose policy names no classifier; `auto` unless set.
    pub fn default_classifier(mut self, classifier: impl Classifier + 'static) -> Self {
        self.default_classifier = Some(Arc::new(classifier));
        self
    }

    /// Adds an observer. Each is fenced on its own.
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.observers.push(Arc::new(observer));
        self
    }

    /// Reads the time from this clock; the system's monotonic clock unless set.
    pub fn clock<C: Clock + 'static>(mut self, clock: C) -> Self {
        self.clock_trusted = runtime::is_builtin_clock::<C>();
        self.clock = Some(Box::new(clock));
        self
    }

    /// Waits on this sleeper; [`FuturesTimerSleeper`] unless set.
    pub fn sleeper(mut self, sleeper: impl Sleeper + 'static) -> Self {
        self.sleeper = Some(Arc::new(sleeper));
        self
    }

    /// Fixes the seed of jitter; the operating system's entropy unless set.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// What to do when the provider has no policy for a key.
    pub fn missing_policy(mut self, mode: MissingPolicy) -> Self {
        self.missing_policy = Some(mode);
        self
    }

    /// What to do when a policy names a classifier that is not registered. Set, it silences the check in `build`.
    pub fn missing_classifier(mut self, mode: MissingClassifier) -> Self {
        self.missing_classifier = Some(mode);
        self
    }

    /// What to do when a policy names a budget that is not registered. Set, it silences the check in `build`.
    pub fn missing_budget(mut self, mode: MissingBudget) -> Self {
        self.missing_budget = Some(mode);
        self
    }

    /// What to do when a policy names a hedge trigger that is not registered. Set, it silences the check in `build`.
    pub fn missing_trigger(mut self, mode: MissingTrigger) -> Self {
        self.missing_trigger = Some(mode);
        self
    }

    /// What to do when a policy names a circuit breaker that is not registered. Set, it silences the check in `build`.
    pub fn missing_breaker(mut self, mode: MissingBreaker) -> Self {
        self.missing_breaker = Some(mode);
        self
    }

    /// Says that plugins are registered after `build`, which then doesn't look for the names in static policies.
    pub fn late_registration(mut self) -> Self {
        self.late_registration = true;
        self
    }

    /// Makes every change that normalisation would make to a static policy an error of `build`.
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// Whether a panic in a plugin is caught and turned into an answer; on unless set. It needs `panic = "unwind"`.
    pub fn recover_panics(mut self, recover: bool) -> Self {
        self.recover_panics = recover;
        self
    }

    /// Keys that may have state of their own; 10,000 unless set, at most 4,194,304. Past it calls run by their policy,
    /// without breaker and latencies.
    pub fn max_keys(mut self, keys: usize) -> Self {
        self.max_keys = keys;
        self
    }

    /// Checks everything and makes the executor.
    ///
    /// # Errors
    ///
    /// [`BuildError`] with every problem: texts that are no keys, keys or the default with two policies, a provider beside
    /// static policies, values that can't be normalised (under [`strict`](Self::strict) all that would be), names that
    /// nothing is registered under, taken or empty plugin names, a [`max_keys`](Self::max_keys) out of range. Nothing is
    /// built then; what was registered in a registry that others share stays there.
    pub fn build(self) -> Result<Executor, BuildError> {
        let mut problems = self.problems;
        let classifiers = self.classifiers.build(classify::builtin(), &mut problems);
        let budgets = self.budgets.build([], &mut problems);
        let triggers = self.triggers.build(recourse_hedge::builtin(), &mut problems);
        let breakers = self.breakers.build(breakers::builtin().clone(), &mut problems);
        if self.max_keys > MOST_MAX_KEYS {
            problems.push(Problem::MaxKeys { given: self.max_keys, most: MOST_MAX_KEYS });
        }
        if self.provider.is_some() && !self.policies.is_empty() {
            problems.push(Problem::ProviderAndPolicies);
        }
        let mut check = StaticCheck { strict: self.strict, problems, changes: Vec::new() };
        let fence = Arc::new(Fence::new(self.recover_panics));
        check.policies(&self.policies, |circuit| {
            let most = fence.run(Component::Breaker, || {
                breakers.get(&circuit.breaker_name).map_or(u32::MAX, |factory| factory.max_threshold())
            });
            most.unwrap_or(u32::MAX)
        });
        if !self.late_registration {
            if self.missing_classifier.is_none() {
                check.classifiers(&self.policies, &classifiers);
            }
            if self.missing_budget.is_none() {
                check.budgets(&self.policies, &budgets);
            }
            if self.missing_trigger.is_none() {
                check.triggers(&self.policies, &triggers);
            }
            if self.missing_breaker.is_none() {
                check.breakers(&self.policies, &breakers);
            }
        }
        if !check.problems.is_empty() {
            return Err(BuildError { problems: check.problems });
        }
        let auto = classify::auto();
        let world = World {
            provider: self.provider.unwrap_or_else(|| Arc::new(static_check::provider(self.policies))),
            classifiers,
            budgets,
            triggers,
            breakers,
            trusted: classify::builtin().into_iter().map(|(_, own)| own).collect(),
            trusted_breakers: breakers::builtin()
                .iter()
                .map(|(_, own)| own.clone())
                .chain(self.own_breakers)
                .collect(),
            default_classifier: self.default_classifier.unwrap_or(auto),
            default_trigger: Arc::new(recourse_hedge::FixedDelay),
            default_breaker: breakers::builtin()[0].1.clone(),
            clock_trusted: self.clock_trusted,
            is_watched: !self.observers.is_empty(),
            modes: Modes {
                policy: self.missing_policy.unwrap_or_default(),
                classifier: self.missing_classifier.unwrap_or_default(),
                budget: self.missing_budget.unwrap_or_default(),
                trigger: self.missing_trigger.unwrap_or_default(),
                breaker: self.missing_breaker.unwrap_or_default(),
            },
            fence: fence.clone(),
            last_normal: LastNormal::new(),
        };
        let shared = Shared {
            world,
            slots: Slots::new(self.max_keys),
            observers: self.observers.into(),
            clock_trusted: self.clock_trusted,
            clock: self.clock.unwrap_or_else(|| Box::new(SystemClock)),
            sleeper: self.sleeper.unwrap_or_else(|| Arc::new(FuturesTimerSleeper)),
            random: Random::new(self.seed),
            fence,
            changes: check.changes,
        };
        Ok(Executor::new(shared))
    }
}

impl fmt::Debug for ExecutorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.policies.iter().map(|policy| &policy.key).collect();
        f.debug_struct("ExecutorBuilder")
            .field("policies", &keys)
            .field("problems", &self.problems)
            .finish_non_exhaustive()
    }
}
