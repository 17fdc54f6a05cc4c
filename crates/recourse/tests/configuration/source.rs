//! [`Source`]: a policy provider that answers at once or later, and counts how often it is asked.

use async_trait::async_trait;
use recourse::{
    Generation, Key, Policy, PolicyProvider, PolicySource, ProvidedPolicy, ProviderError, ProviderErrorKind,
};
use recourse_test::VirtualTime;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A provider with one answer for every key. Clones share it.
#[derive(Clone)]
pub(crate) struct Source(Arc<Inner>);

struct Inner {
    answer: Mutex<Result<ProvidedPolicy, ProviderError>>,
    /// Where it answers later: after how long, in which time.
    later: Option<(VirtualTime, Duration)>,
    /// Where it counts its changes.
    generation: Option<Generation>,
    asked: AtomicUsize,
    answered: AtomicUsize,
}

impl Source {
    /// Answers at once and doesn't count its changes.
    pub(crate) fn at_once() -> Self {
        Source::new(None, None)
    }

    /// Answers at once and counts its changes.
    pub(crate) fn counted() -> Self {
        Source::new(None, Some(Generation::new()))
    }

    /// Answers after a while and doesn't count its changes.
    pub(crate) fn later(time: &VirtualTime, wait: Duration) -> Self {
        Source::new(Some((time.clone(), wait)), None)
    }

    /// Answers after a while and counts its changes.
    pub(crate) fn later_counted(time: &VirtualTime, wait: Duration) -> Self {
        Source::new(Some((time.clone(), wait)), Some(Generation::new()))
    }

    fn new(later: Option<(VirtualTime, Duration)>, generation: Option<Generation>) -> Self {
        let missing = ProviderError::new(ProviderErrorKind::PolicyNotFound, "nothing yet");
        Source(Arc::new(Inner {
            answer: Mutex::new(Err(missing)),
            later,
            generation,
            asked: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
        }))
    }

    /// From now on the answer is this policy, from this source.
    pub(crate) fn gives(&self, policy: Policy, source: PolicySource) {
        self.change(Ok(ProvidedPolicy::new(policy, source)));
    }

    /// From now on there is no answer.
    pub(crate) fn fails(&self, kind: ProviderErrorKind, message: &str) {
        self.change(Err(ProviderError::new(kind, message)));
    }

    fn change(&self, answer: Result<ProvidedPolicy, ProviderError>) {
        *self.0.answer.lock().unwrap() = answer;
        if let Some(generation) = &self.0.generation {
            generation.advance();
        }
    }

    /// How often it was asked for a policy, at once or later.
    pub(crate) fn asked(&self) -> usize {
        self.0.asked.load(Ordering::SeqCst)
    }

    /// How often an answer that had to be awaited was given.
    pub(crate) fn answered_later(&self) -> usize {
        self.0.answered.load(Ordering::SeqCst)
    }

    fn answer(&self) -> Result<ProvidedPolicy, ProviderError> {
        self.0.answer.lock().unwrap().clone()
    }
}

#[async_trait]
impl PolicyProvider for Source {
    fn policy_now(&self, _: &Key) -> Option<Result<ProvidedPolicy, ProviderError>> {
        if self.0.later.is_some() {
            return None;
        }
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        Some(self.answer())
    }

    async fn policy(&self, _: &Key) -> Result<ProvidedPolicy, ProviderError> {
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        if let Some((time, wait)) = &self.0.later {
            time.wait(*wait).await;
        }
        self.0.answered.fetch_add(1, Ordering::SeqCst);
        self.answer()
    }

    fn generation(&self) -> Option<&Generation> {
        self.0.generation.as_ref()
    }
}
