//! Key -> policy: asks the provider, at once where it can.

use super::world::World;
use crate::fence::{Fence, PanicError};
use crate::missing::MissingPolicy;
use recourse_core::{Component, Key, ProvidedPolicy, ProviderError, ProviderErrorKind};
use std::error::Error;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// The provider's answer, or why there is none.
pub(crate) type Answer = Result<ProvidedPolicy, Arc<dyn Error + Send + Sync>>;

impl World {
    /// Whether this answer means that no call with the key will ever run.
    pub(crate) fn refuses(&self, answer: &Answer) -> bool {
        let not_found = |cause: &Arc<dyn Error + Send + Sync>| {
            let error = cause.downcast_ref::<ProviderError>();
            error.is_some_and(|error| error.kind == ProviderErrorKind::PolicyNotFound)
        };
        self.modes.policy == MissingPolicy::Deny && answer.as_ref().is_err_and(not_found)
    }

    /// The provider's answer, if it is at hand.
    pub(crate) fn ask_now(&self, key: &Key) -> Option<Answer> {
        match self.fence.run(Component::Provider, || self.provider.policy_now(key)) {
            Ok(answer) => answer.map(settle),
            Err(panic) => Some(failed(panic)),
        }
    }

    /// The provider's answer, as soon as it is there.
    pub(crate) async fn ask(&self, key: &Key) -> Answer {
        let asked = match self.fence.run(Component::Provider, || self.provider.policy(key)) {
            Ok(asked) => asked,
            Err(panic) => return failed(panic),
        };
        let mut asked = Asked { fence: &self.fence, answer: Some(asked) };
        poll_fn(|cx| asked.poll(cx)).await
    }
}

/// What a provider answers later.
type Later<'a> = Pin<Box<dyn Future<Output = Result<ProvidedPolicy, ProviderError>> + Send + 'a>>;

/// A provider's future: polled and dropped behind the fence.
struct Asked<'a> {
    fence: &'a Fence,
    answer: Option<Later<'a>>,
}

impl Asked<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Answer> {
        let Some(answer) = &mut self.answer else { return Poll::Pending };
        match self.fence.run(Component::Provider, || answer.as_mut().poll(cx)) {
            Ok(polled) => polled.map(settle),
            Err(panic) => Poll::Ready(failed(panic)),
        }
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        let answer = self.answer.take();
        let _ = self.fence.always(Component::Provider, || drop(answer));
    }
}

fn settle(answer: Result<ProvidedPolicy, ProviderError>) -> Answer {
    answer.map_err(|error| Arc::new(error) as Arc<dyn Error + Send + Sync>)
}

fn failed(panic: PanicError) -> Answer {
    Err(Arc::new(panic))
}
