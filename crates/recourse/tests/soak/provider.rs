//! [`Source`]: a provider that answers at once or later, fails and panics now and then.

use crate::dice::Dice;
use crate::mood::Mood;
use crate::timing::Timing;
use recourse::{
    Component, Generation, Key, Policy, PolicyProvider, PolicySource, ProvidedPolicy, ProviderError,
    ProviderErrorKind,
};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The policies by key. Clones share them.
#[derive(Clone)]
pub(crate) struct Source {
    dice: Dice,
    mood: Mood,
    timing: Timing,
    shared: Arc<Shared>,
}

struct Shared {
    policies: Mutex<BTreeMap<Key, Arc<Policy>>>,
    generation: Generation,
    counts: bool,
    at_once: f64,
    fails: f64,
    is_steady: AtomicBool,
}

impl Source {
    pub(crate) fn new(dice: &Dice, mood: &Mood, timing: &Timing) -> Self {
        let shared = Shared {
            policies: Mutex::default(),
            generation: Generation::new(),
            counts: dice.chance(0.7),
            at_once: dice.pick(&[1.0, 1.0, 0.5, 0.0]),
            fails: dice.pick(&[0.0, 0.0, 0.05]),
            is_steady: AtomicBool::new(false),
        };
        Source { dice: dice.clone(), mood: mood.clone(), timing: timing.clone(), shared: Arc::new(shared) }
    }

    pub(crate) fn set(&self, key: Key, policy: Option<Policy>) {
        let mut policies = self.shared.policies.lock().unwrap_or_else(PoisonError::into_inner);
        match policy {
            Some(policy) => drop(policies.insert(key, Arc::new(policy))),
            None => drop(policies.remove(&key)),
        }
        drop(policies);
        self.shared.generation.advance();
    }

    /// Answers at once and fails never, while `look` runs.
    pub(crate) fn steadily<R>(&self, look: impl FnOnce() -> R) -> R {
        self.shared.is_steady.store(true, Ordering::Relaxed);
        let seen = look();
        self.shared.is_steady.store(false, Ordering::Relaxed);
        seen
    }

    fn is_steady(&self) -> bool {
        self.shared.is_steady.load(Ordering::Relaxed)
    }

    fn answer(&self, key: &Key) -> Result<ProvidedPolicy, ProviderError> {
        if !self.is_steady() && self.dice.chance(self.shared.fails) {
            // "Not found" would be kept until a change is counted.
            let kind = self
                .dice
                .pick(&[ProviderErrorKind::ProviderUnavailable, ProviderErrorKind::PolicyFetchFailed]);
            return Err(ProviderError::new(kind, "on purpose"));
        }
        let policies = self.shared.policies.lock().unwrap_or_else(PoisonError::into_inner);
        match policies.get(key) {
            Some(policy) => Ok(ProvidedPolicy::new(policy.clone(), PolicySource::Remote)),
            None => Err(ProviderError::new(ProviderErrorKind::PolicyNotFound, "")),
        }
    }
}

impl PolicyProvider for Source {
    fn policy_now(&self, key: &Key) -> Option<Result<ProvidedPolicy, ProviderError>> {
        self.mood.swings(Component::Provider);
        (self.is_steady() || self.dice.chance(self.shared.at_once)).then(|| self.answer(key))
    }

    fn policy<'s, 'k, 'f>(
        &'s self,
        key: &'k Key,
    ) -> Pin<Box<dyn Future<Output = Result<ProvidedPolicy, ProviderError>> + Send + 'f>>
    where
        's: 'f,
        'k: 'f,
        Self: 'f,
    {
        self.mood.swings(Component::Provider);
        Box::pin(async move {
            let unsteady = Unsteady(&self.mood);
            for _ in 0..self.dice.below(3) {
                self.timing.wait(self.dice.ms(0, 20)).await;
                self.mood.swings(Component::Provider);
            }
            drop(unsteady);
            self.answer(key)
        })
    }

    fn generation(&self) -> Option<&Generation> {
        self.mood.swings(Component::Provider);
        self.shared.counts.then_some(&self.shared.generation)
    }
}

/// Panics now and then when it is dropped.
struct Unsteady<'a>(&'a Mood);

impl Drop for Unsteady<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.0.swings(Component::Provider);
        }
    }
}
