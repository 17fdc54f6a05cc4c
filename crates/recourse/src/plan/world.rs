//! [`World`]: everything that a key or a name can resolve to.

use super::normal::LastNormal;
use crate::fence::Fence;
use crate::missing::{MissingBreaker, MissingBudget, MissingClassifier, MissingPolicy, MissingTrigger};
use recourse_core::{BreakerFactory, Budget, Classifier, Generation, HedgeTrigger, PolicyProvider, Registry};
use std::sync::Arc;

/// What is done about missing things.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Modes {
    pub(crate) policy: MissingPolicy,
    pub(crate) classifier: MissingClassifier,
    pub(crate) budget: MissingBudget,
    pub(crate) trigger: MissingTrigger,
    pub(crate) breaker: MissingBreaker,
}

/// Provider, registries and defaults of an executor.
pub(crate) struct World {
    pub(crate) provider: Arc<dyn PolicyProvider>,
    pub(crate) classifiers: Registry<dyn Classifier>,
    pub(crate) budgets: Registry<dyn Budget>,
    pub(crate) triggers: Registry<dyn HedgeTrigger>,
    pub(crate) breakers: Registry<dyn BreakerFactory>,
    pub(crate) default_classifier: Arc<dyn Classifier>,
    pub(crate) default_trigger: Arc<dyn HedgeTrigger>,
    pub(crate) default_breaker: Arc<dyn BreakerFactory>,
    /// Our own classifiers, which need no fence.
    pub(crate) trusted: Vec<Arc<dyn Classifier>>,
    /// Our own kinds of breakers, which need none either.
    pub(crate) trusted_breakers: Vec<Arc<dyn BreakerFactory>>,
    /// Whether the clock is our own: another may panic, so no call can be early.
    pub(crate) clock_trusted: bool,
    /// Whether somebody observes: then even an early call needs an engine, which tells of it.
    pub(crate) is_watched: bool,
    pub(crate) modes: Modes,
    pub(crate) fence: Arc<Fence>,
    pub(crate) last_normal: LastNormal,
}

/// How far the registries and the provider had come when a plan was bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Generations {
    registries: [u64; 4],
    provider: Option<u64>,
}

impl Generations {
    /// Whether nothing that a plan was bound to has changed. A provider that doesn't count its changes must be asked.
    pub(crate) fn still(&self, now: &Generations) -> bool {
        self == now && self.provider.is_some()
    }

    /// Whether the registries are as they were, whatever the provider says.
    pub(crate) fn same_registries(&self, now: &Generations) -> bool {
        self.registries == now.registries
    }

    /// The same for an answer that is not to be kept: the provider is asked again at the next call.
    pub(crate) fn uncounted(self) -> Self {
        Generations { provider: None, ..self }
    }

    pub(crate) fn counted(&self) -> bool {
        self.provider.is_some()
    }
}

impl World {
    /// How far everything has come: what is asked from now on is no older.
    pub(crate) fn now(&self) -> (Generations, u64) {
        (self.generations(), Generation::epoch())
    }

    pub(crate) fn generations(&self) -> Generations {
        let provider = self
            .fence
            .run(recourse_core::Component::Provider, || self.provider.generation().map(Generation::current));
        Generations {
            registries: [
                self.classifiers.generation(),
                self.budgets.generation(),
                self.triggers.generation(),
                self.breakers.generation(),
            ],
            provider: provider.ok().flatten(),
        }
    }
}
