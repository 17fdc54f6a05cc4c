//! Key -> policy: asks the provider, at once where it can.

use super::world::World;
use crate::fence::PanicError;
use recourse_core::{Component, Key, ProvidedPolicy, ProviderError};
use std::error::Error;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

/// The provider's answer, or why there is none.
pub(crate) type Answer = Result<ProvidedPolicy, Arc<dyn Error + Send + Sync>>;

impl World {
    /// The provider's answer, if it is at hand.
    pub(crate) fn ask_now(&self, key: &Key) -> Option<Answer> {
        match self.fence.run(Component::Provider, || self.provider.policy_now(key)) {
            Ok(answer) => answer.map(settle),
            Err(panic) => Some(failed(panic)),
        }
    }

    /// The provider's answer, as soon as it is there.
    pub(crate) async fn ask(&self, key: &Key) -> Answer {
        let mut asked = match self.fence.run(Component::Provider, || self.provider.policy(key)) {
            Ok(asked) => asked,
            Err(panic) => return failed(panic),
        };
        poll_fn(|cx| match self.fence.run(Component::Provider, || asked.as_mut().poll(cx)) {
            Ok(polled) => polled.map(settle),
            Err(panic) => Poll::Ready(failed(panic)),
        })
        .await
    }
}

fn settle(answer: Result<ProvidedPolicy, ProviderError>) -> Answer {
    answer.map_err(|error| Arc::new(error) as Arc<dyn Error + Send + Sync>)
}

fn failed(panic: PanicError) -> Answer {
    Err(Arc::new(panic))
}
