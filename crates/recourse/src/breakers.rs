//! The built-in kinds of circuit breakers: which there are, and which factories are ours.

use recourse_core::BreakerFactory;
use std::any::TypeId;
use std::sync::{Arc, OnceLock};

/// Every built-in kind by its registry name, the default first. The same objects for every executor, so that a key keeps
/// its breaker whichever of them registered it.
pub(crate) fn builtin() -> &'static [(&'static str, Arc<dyn BreakerFactory>); 4] {
    static FACTORIES: OnceLock<[(&'static str, Arc<dyn BreakerFactory>); 4]> = OnceLock::new();
    FACTORIES.get_or_init(recourse_circuit::builtin)
}

/// Whether a factory of this type makes breakers of our own kinds, which need no fence.
pub(crate) fn is_own<F: 'static>() -> bool {
    TypeId::of::<F>() == TypeId::of::<recourse_circuit::Breakers>()
}
