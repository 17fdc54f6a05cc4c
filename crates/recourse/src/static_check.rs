//! [`StaticCheck`]: what can be said of static policies before the first call.

use crate::build_error::{Problem, name_of};
use crate::plan::{MissingPlugin, StaticProvider};
use recourse_core::policy::{Change, CircuitPolicy, Policy};
use recourse_core::{BreakerFactory, Budget, Classifier, HedgeTrigger, Key, Label, PolicySource, Registry};
use std::collections::HashSet;
use std::fmt;

/// A policy that was given to the builder; without a key it is the default.
pub(crate) struct StaticPolicy {
    pub(crate) key: Option<Key>,
    pub(crate) policy: Policy,
}

/// A change that normalisation makes to a static policy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyChange {
    /// The policy's key; `None` for the default policy.
    pub key: Option<Key>,
    /// The field, the value that was given, and the one that is used.
    pub change: Change,
}

/// `policy "payments.Charge": retry.max_attempts = 99 became 10`.
impl fmt::Display for PolicyChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", name_of(&self.key), self.change)
    }
}

pub(crate) struct StaticCheck {
    pub(crate) strict: bool,
    pub(crate) problems: Vec<Problem>,
    pub(crate) changes: Vec<PolicyChange>,
}

impl StaticCheck {
    /// Keys must be unique, values normalisable, and under a strict builder already normal: inside every limit, the one that
    /// `max_threshold` says of a policy's breaker included.
    pub(crate) fn policies(
        &mut self,
        policies: &[StaticPolicy],
        max_threshold: impl Fn(&CircuitPolicy) -> u32,
    ) {
        let mut seen = HashSet::new();
        for StaticPolicy { key, policy } in policies {
            if !seen.insert(key) {
                self.problems.push(Problem::DuplicatePolicy(key.clone()));
                continue;
            }
            match policy.normalize(PolicySource::Static) {
                Err(error) => self.problems.push(Problem::Policy { key: key.clone(), error }),
                Ok(effective) => {
                    let most = max_threshold(&effective.policy.circuit);
                    self.changes(key.as_ref(), effective.with_max_threshold(most).changes);
                }
            }
        }
    }

    fn changes(&mut self, key: Option<&Key>, changes: Vec<Change>) {
        for change in changes {
            let key = key.cloned();
            match self.strict {
                true => self.problems.push(Problem::Normalized { key, change }),
                false => self.changes.push(PolicyChange { key, change }),
            }
        }
    }

    pub(crate) fn classifiers(&mut self, policies: &[StaticPolicy], known: &Registry<dyn Classifier>) {
        self.names(policies, known, "retry.classifier_name", |policy| Some(&policy.retry.classifier_name));
    }

    pub(crate) fn budgets(&mut self, policies: &[StaticPolicy], known: &Registry<dyn Budget>) {
        self.names(policies, known, "retry.budget.name", |policy| Some(&policy.retry.budget.name));
        self.names(policies, known, "hedge.budget.name", |policy| {
            policy.hedge.enabled.then_some(&policy.hedge.budget.name)
        });
    }

    pub(crate) fn triggers(&mut self, policies: &[StaticPolicy], known: &Registry<dyn HedgeTrigger>) {
        self.names(policies, known, "hedge.trigger_name", |policy| {
            policy.hedge.enabled.then_some(&policy.hedge.trigger_name)
        });
    }

    pub(crate) fn breakers(&mut self, policies: &[StaticPolicy], known: &Registry<dyn BreakerFactory>) {
        self.names(policies, known, "circuit.breaker_name", |policy| {
            policy.circuit.enabled.then_some(&policy.circuit.breaker_name)
        });
    }

    fn names<P: ?Sized>(
        &mut self,
        policies: &[StaticPolicy],
        known: &Registry<P>,
        field: &'static str,
        name: impl Fn(&Policy) -> Option<&Label>,
    ) {
        for StaticPolicy { key, policy } in policies {
            let Some(name) = name(policy).filter(|name| !name.is_empty() && known.get(name).is_none()) else {
                continue;
            };
            let missing =
                MissingPlugin { key: key.clone(), field, name: name.clone(), registered: known.names() };
            self.problems.push(Problem::Missing(missing));
        }
    }
}

/// A provider of these policies.
pub(crate) fn provider(policies: Vec<StaticPolicy>) -> StaticProvider {
    let provider = StaticProvider::new();
    for StaticPolicy { key, policy } in policies {
        match key {
            Some(key) => drop(provider.set(key, policy)),
            None => provider.set_default(Some(policy)),
        }
    }
    provider
}
