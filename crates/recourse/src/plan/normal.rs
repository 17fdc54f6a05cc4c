//! [`Normal`]: a policy inside its limits, with what is worked out of it.

use crate::call::BackoffRules;
use crate::sync::Mutex;
use recourse_core::EffectivePolicy;
use std::sync::Arc;

/// A policy as it is in force.
pub(crate) struct Normal {
    pub(crate) effective: EffectivePolicy,
    pub(crate) backoff: BackoffRules,
}

/// Mostly one policy governs many keys, one after the other bound to it: they share what is made of it.
pub(crate) struct LastNormal(Mutex<Option<Arc<Normal>>>);

impl LastNormal {
    pub(crate) fn new() -> Self {
        LastNormal(Mutex::new(None))
    }

    pub(super) fn share(&self, effective: EffectivePolicy) -> Arc<Normal> {
        let mut last = self.0.lock();
        match &*last {
            Some(last) if last.effective == effective => last.clone(),
            _ => {
                let backoff = BackoffRules::new(&effective.policy.retry);
                last.insert(Arc::new(Normal { effective, backoff })).clone()
            }
        }
    }
}
