//! [`CallTimer`]: the one timer of a call, made late and set again where the runtime can do that.

use crate::call::decide::NEVER;
use crate::fence::{Fence, PanicError};
use recourse_core::{Component, Moment, Sleeper, Timer};
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

/// At most one sleep at a time. It is made when something is due, and kept while nothing is due earlier.
pub(crate) struct CallTimer<'a> {
    /// When it goes off; [`NEVER`] where it is not set.
    due: Moment,
    sleep: Sleep<'a>,
}

/// What a sleeper gave.
enum Sleep<'a> {
    None,
    Once(Pin<Box<dyn Future<Output = ()> + Send + 'a>>),
    Again(Pin<Box<dyn Timer + Send + 'a>>),
}

impl Default for CallTimer<'_> {
    fn default() -> Self {
        CallTimer { due: NEVER, sleep: Sleep::None }
    }
}

impl<'a> CallTimer<'a> {
    /// Whether there is no sleep.
    #[inline]
    pub(crate) fn is_unset(&self) -> bool {
        matches!(self.sleep, Sleep::None)
    }

    /// Whether it goes off at `due` or earlier.
    pub(crate) fn covers(&self, due: Moment) -> bool {
        self.due != NEVER && self.due <= due
    }

    /// Sets it to go off at `due`, `wait` from now.
    #[inline(always)]
    pub(crate) fn arm(
        &mut self,
        sleeper: &'a dyn Sleeper,
        due: Moment,
        wait: Duration,
        until: Option<Instant>,
        fence: &Fence,
    ) -> Result<(), PanicError> {
        if let Sleep::Once(_) = self.sleep {
            self.disarm(fence)?;
        }
        fence.run(Component::Sleeper, || match &mut self.sleep {
            Sleep::Again(timer) => timer.as_mut().set(wait, until),
            nothing => {
                let made = match sleeper.timer(wait, until) {
                    Some(timer) => Sleep::Again(timer),
                    None => Sleep::Once(sleeper.sleep(wait)),
                };
                // What was there is nothing, and is not asked what it is once more.
                mem::forget(mem::replace(nothing, made));
            }
        })?;
        self.due = due;
        Ok(())
    }

    /// Ready with the moment that has come. What the clock says of it doesn't matter: the timer is believed.
    #[inline(always)]
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, fence: &Fence) -> Poll<Result<Moment, PanicError>> {
        let due = self.due;
        if due == NEVER {
            return Poll::Pending;
        }
        let polled = fence.run(Component::Sleeper, || match &mut self.sleep {
            Sleep::None => Poll::Pending,
            Sleep::Again(timer) => timer.as_mut().poll(cx),
            Sleep::Once(sleep) => {
                ready!(sleep.as_mut().poll(cx));
                // It is known what is dropped here.
                if let Sleep::Once(over) = mem::replace(&mut self.sleep, Sleep::None) {
                    drop(over);
                }
                Poll::Ready(())
            }
        });
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(())) => {
                self.due = NEVER;
                Poll::Ready(Ok(due))
            }
            Err(panic) => {
                let _ = self.disarm(fence);
                Poll::Ready(Err(panic))
            }
        }
    }

    /// Drops the sleep. Fenced in both modes: a sleep that panicked already must not do so again while it unwinds.
    #[inline]
    pub(crate) fn disarm(&mut self, fence: &Fence) -> Result<(), PanicError> {
        self.due = NEVER;
        match self.sleep {
            Sleep::None => Ok(()),
            _ => self.drop_sleep(fence),
        }
    }

    fn drop_sleep(&mut self, fence: &Fence) -> Result<(), PanicError> {
        fence.always(Component::Sleeper, || self.sleep = Sleep::None)
    }
}
