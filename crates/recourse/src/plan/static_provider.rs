//! [`StaticProvider`]: policies in a map.

use crate::sync::RwLock;
use recourse_core::{
    Generation, Key, Policy, PolicyProvider, PolicySource, ProvidedPolicy, ProviderError, ProviderErrorKind,
};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// Policies in a map, with an optional one for every other key. Clones share it.
///
/// Without a default it answers `policy_not_found` for a key that it doesn't hold. A change takes effect at the next
/// call; running calls keep their policy.
///
/// ```
/// use recourse::{Executor, Key, Policy, StaticProvider};
///
/// let policies = StaticProvider::new();
/// policies.set(Key::from_static("payments.Charge"), Policy::http());
/// let executor = Executor::builder().provider(policies.clone()).build()?;
///
/// policies.set(Key::from_static("payments.Charge"), Policy::http().max_attempts(1));
/// # drop(executor);
/// # Ok::<(), recourse::BuildError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct StaticProvider {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    policies: RwLock<Policies>,
    generation: Generation,
}

#[derive(Debug, Default)]
struct Policies {
    by_key: BTreeMap<Key, Arc<Policy>>,
    default: Option<Arc<Policy>>,
}

impl StaticProvider {
    /// No policies.
    #[must_use]
    pub fn new() -> Self {
        StaticProvider::default()
    }

    /// Sets the policy of a key and returns the one before.
    pub fn set(&self, key: Key, policy: Policy) -> Option<Arc<Policy>> {
        self.change(|policies| policies.by_key.insert(key, Arc::new(policy)))
    }

    /// Takes the policy of a key out.
    pub fn remove(&self, key: &Key) -> Option<Arc<Policy>> {
        self.change(|policies| policies.by_key.remove(key))
    }

    /// Sets the policy of every key that has none of its own; `None` for none.
    pub fn set_default(&self, policy: Option<Policy>) {
        self.change(|policies| policies.default = policy.map(Arc::new));
    }

    /// Every key that has a policy of its own, in order.
    #[must_use]
    pub fn keys(&self) -> Vec<Key> {
        self.shared.policies.read().by_key.keys().cloned().collect()
    }

    fn change<R>(&self, change: impl FnOnce(&mut Policies) -> R) -> R {
        let result = change(&mut self.shared.policies.write());
        self.shared.generation.advance();
        result
    }

    fn answer(&self, key: &Key) -> Result<ProvidedPolicy, ProviderError> {
        let policies = self.shared.policies.read();
        let (policy, source) = match (policies.by_key.get(key), &policies.default) {
            (Some(policy), _) => (policy, PolicySource::Static),
            (None, Some(default)) => (default, PolicySource::Default),
            (None, None) => {
                let message = format!("no policy for {:?}", key.as_str());
                return Err(ProviderError::new(ProviderErrorKind::PolicyNotFound, message));
            }
        };
        Ok(ProvidedPolicy::new(Arc::clone(policy), source))
    }
}

impl PolicyProvider for StaticProvider {
    fn policy_now(&self, key: &Key) -> Option<Result<ProvidedPolicy, ProviderError>> {
        Some(self.answer(key))
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
        Box::pin(std::future::ready(self.answer(key)))
    }

    fn generation(&self) -> Option<&Generation> {
        Some(&self.shared.generation)
    }
}
