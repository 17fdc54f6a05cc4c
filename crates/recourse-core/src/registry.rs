//! [`Registry`]: from a low-cardinality name to a plugin.

use crate::budget::Budget;
use crate::circuit::BreakerFactory;
use crate::classify::Classifier;
use crate::generation::Generation;
use crate::hedge::HedgeTrigger;
use crate::label::Label;
use crate::sync::RwLock;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError};

/// A thread-safe map from a name to a plugin of one kind.
///
/// A registry is an object of its own: clones share it, and so may several executors. It can be changed while calls
/// run; a call keeps what it resolved at its start, the next one sees the change.
///
/// ```
/// use recourse_core::{Budget, BudgetRequest, Decision, Registry};
///
/// struct Generous;
/// impl Budget for Generous {
///     fn allow_attempt(&self, _: &BudgetRequest<'_>) -> Decision {
///         Decision::allow()
///     }
/// }
///
/// let budgets = Registry::<dyn Budget>::new();
/// budgets.register("generous", Generous)?;
/// assert!(budgets.register("generous", Generous).is_err()); // taken
/// budgets.replace("generous", Generous)?; // on purpose
/// # Ok::<(), recourse_core::RegistryError>(())
/// ```
pub struct Registry<P: ?Sized>(Arc<Shelf<P>>);

struct Shelf<P: ?Sized> {
    plugins: RwLock<BTreeMap<Label, Arc<P>>>,
    generation: Generation,
}

impl<P: ?Sized> Registry<P> {
    /// An empty registry.
    #[must_use]
    pub fn new() -> Self {
        Registry(Arc::new(Shelf { plugins: RwLock::new(BTreeMap::new()), generation: Generation::new() }))
    }

    /// The plugin under a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<P>> {
        self.0.plugins.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Takes a plugin out. Calls that use it already keep it.
    pub fn remove(&self, name: &str) -> Option<Arc<P>> {
        self.change(|plugins| plugins.remove(name), Option::is_some)
    }

    /// Every name, in order.
    #[must_use]
    pub fn names(&self) -> Vec<Label> {
        self.0.plugins.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// How often the registry has changed.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.0.generation.current()
    }

    /// Registers a shared plugin under a free name.
    ///
    /// # Errors
    ///
    /// [`RegistryError`] if the name is empty or taken; the registry is unchanged.
    pub fn register_shared(&self, name: impl Into<Label>, plugin: Arc<P>) -> Result<(), RegistryError> {
        let name = checked(name.into())?;
        let register = |plugins: &mut BTreeMap<_, _>| match plugins.contains_key(&name) {
            true => Err(RegistryError::Taken(name)),
            false => {
                plugins.insert(name, plugin);
                Ok(())
            }
        };
        self.change(register, Result::is_ok)
    }

    /// Puts a shared plugin under a name, whether or not it is taken, and returns the one before.
    ///
    /// # Errors
    ///
    /// [`RegistryError`] if the name is empty; the registry is unchanged.
    pub fn replace_shared(
        &self,
        name: impl Into<Label>,
        plugin: Arc<P>,
    ) -> Result<Option<Arc<P>>, RegistryError> {
        let name = checked(name.into())?;
        Ok(self.change(|plugins| plugins.insert(name, plugin), |_| true))
    }

    /// Does something to the plugins, and counts it where it changed them.
    fn change<R>(
        &self,
        change: impl FnOnce(&mut BTreeMap<Label, Arc<P>>) -> R,
        changed: impl FnOnce(&R) -> bool,
    ) -> R {
        let result = change(&mut self.0.plugins.write().unwrap_or_else(PoisonError::into_inner));
        if changed(&result) {
            self.0.generation.advance();
        }
        result
    }
}

macro_rules! registers {
    ($($kind:ident),*) => {$(
        impl Registry<dyn $kind> {
            /// Registers a plugin under a free name.
            ///
            /// # Errors
            ///
            /// [`RegistryError`] if the name is empty or taken; the registry is unchanged.
            pub fn register(&self, name: impl Into<Label>, plugin: impl $kind + 'static) -> Result<(), RegistryError> {
                self.register_shared(name, Arc::new(plugin))
            }

            /// Puts a plugin under a name, whether or not it is taken, and returns the one before.
            ///
            /// # Errors
            ///
            /// [`RegistryError`] if the name is empty; the registry is unchanged.
            pub fn replace(
                &self,
                name: impl Into<Label>,
                plugin: impl $kind + 'static,
            ) -> Result<Option<Arc<dyn $kind>>, RegistryError> {
                self.replace_shared(name, Arc::new(plugin))
            }
        }
    )*};
}

registers!(Classifier, Budget, HedgeTrigger, BreakerFactory);

fn checked(name: Label) -> Result<Label, RegistryError> {
    if name.trim().is_empty() { Err(RegistryError::EmptyName) } else { Ok(name) }
}

impl<P: ?Sized> Clone for Registry<P> {
    fn clone(&self) -> Self {
        Registry(Arc::clone(&self.0))
    }
}

impl<P: ?Sized> Default for Registry<P> {
    fn default() -> Self {
        Registry::new()
    }
}

impl<P: ?Sized> fmt::Debug for Registry<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Registry").field(&self.names()).finish()
    }
}

/// Why a registry refused a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegistryError {
    /// The name is empty or blank.
    EmptyName,
    /// The name is taken; `replace` takes it on purpose.
    Taken(Label),
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RegistryError::EmptyName => f.write_str("a plugin needs a name: an empty one is not allowed"),
            RegistryError::Taken(name) => {
                write!(f, "the name {:?} is taken: choose another, or use replace", name.as_str())
            }
        }
    }
}

impl std::error::Error for RegistryError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AttemptResult, Outcome};

    struct Fixed(&'static str);
    impl Classifier for Fixed {
        fn classify(&self, _: &AttemptResult<'_>) -> Outcome {
            Outcome::abort(self.0)
        }
    }

    fn reason(registry: &Registry<dyn Classifier>, name: &str) -> Option<Label> {
        registry.get(name).map(|c| c.classify(&AttemptResult::of_timeout()).reason)
    }

    #[test]
    fn register_refuses_a_taken_or_empty_name_and_changes_nothing() {
        let registry = Registry::<dyn Classifier>::new();
        registry.register("a", Fixed("first")).unwrap();
        assert_eq!(registry.register("a", Fixed("second")), Err(RegistryError::Taken("a".into())));
        assert_eq!(registry.register(" ", Fixed("blank")), Err(RegistryError::EmptyName));
        assert_eq!(reason(&registry, "a").unwrap(), "first");
        assert_eq!(registry.names(), ["a"]);
    }

    #[test]
    fn replace_and_remove_advance_the_generation() {
        let registry = Registry::<dyn Classifier>::new();
        let shared = registry.clone();
        registry.register("a", Fixed("first")).unwrap();
        let before = registry.generation();
        assert!(shared.replace("a", Fixed("second")).unwrap().is_some());
        assert_eq!(reason(&registry, "a").unwrap(), "second");
        assert!(registry.generation() > before);
        assert!(registry.remove("a").is_some());
        assert_eq!(reason(&shared, "a"), None);
    }
}
