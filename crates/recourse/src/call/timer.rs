//! [`Timer`]: the one timer of a call, made late.

use crate::fence::{Fence, PanicError};
use recourse_core::{Component, Moment, Sleeper};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// At most one sleep at a time. It is made when something is due, and kept while nothing is due earlier.
#[derive(Default)]
pub(crate) struct Timer<'a> {
    armed: Option<Armed<'a>>,
}

struct Armed<'a> {
    due: Moment,
    sleep: Pin<Box<dyn Future<Output = ()> + Send + 'a>>,
}

impl<'a> Timer<'a> {
    /// Whether a sleep that ends at `due` or earlier is under way.
    pub(crate) fn covers(&self, due: Moment) -> bool {
        self.armed.as_ref().is_some_and(|armed| armed.due <= due)
    }

    /// Makes a sleep that ends at `due`.
    pub(crate) fn arm(
        &mut self,
        sleeper: &'a dyn Sleeper,
        due: Moment,
        wait: Duration,
        fence: &Fence,
    ) -> Result<(), PanicError> {
        self.disarm(fence)?;
        let sleep = fence.run(Component::Sleeper, || sleeper.sleep(wait))?;
        self.armed = Some(Armed { due, sleep });
        Ok(())
    }

    /// Ready with the moment that has come. What the clock says of it doesn't matter: the timer is believed.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, fence: &Fence) -> Poll<Result<Moment, PanicError>> {
        let Some(armed) = &mut self.armed else {
            return Poll::Pending;
        };
        let due = armed.due;
        let polled = fence.run(Component::Sleeper, || armed.sleep.as_mut().poll(cx));
        if matches!(polled, Ok(Poll::Pending)) {
            return Poll::Pending;
        }
        let dropped = self.disarm(fence);
        Poll::Ready(polled.and(dropped).map(|()| due))
    }

    /// Drops the sleep. Fenced in both modes: a sleep that panicked already must not do so again while it unwinds.
    pub(crate) fn disarm(&mut self, fence: &Fence) -> Result<(), PanicError> {
        match self.armed.take() {
            Some(armed) => fence.always(Component::Sleeper, || drop(armed)),
            None => Ok(()),
        }
    }
}
