//! [`CallTimer`]: the one timer of a call, asked of the sleeper as recourse asks it.

use recourse::{Sleeper, Timer};
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

/// What a sleeper gave. It is made late, and set again where the runtime can do that.
pub(super) enum CallTimer<'a> {
    None,
    Once(Pin<Box<dyn Future<Output = ()> + Send + 'a>>),
    Again(Pin<Box<dyn Timer + Send + 'a>>),
}

impl<'a> CallTimer<'a> {
    /// Sets it to go off `wait` from now, which is `until` where the clock knows that.
    #[inline(always)]
    pub(super) fn arm(&mut self, sleeper: &'a dyn Sleeper, wait: Duration, until: Option<Instant>) {
        match self {
            CallTimer::Again(timer) => timer.as_mut().set(wait, until),
            other => {
                let made = match sleeper.timer(wait, until) {
                    Some(timer) => CallTimer::Again(timer),
                    None => CallTimer::Once(sleeper.sleep(wait)),
                };
                if let CallTimer::Once(before) = mem::replace(other, made) {
                    drop(before);
                }
            }
        }
    }

    /// Ready when its time has come.
    #[inline(always)]
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            CallTimer::None => Poll::Pending,
            CallTimer::Again(timer) => timer.as_mut().poll(cx),
            CallTimer::Once(sleep) => {
                ready!(sleep.as_mut().poll(cx));
                // It is known what is dropped here.
                if let CallTimer::Once(over) = mem::replace(self, CallTimer::None) {
                    drop(over);
                }
                Poll::Ready(())
            }
        }
    }
}
