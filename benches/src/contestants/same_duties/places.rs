//! The places in a call's future: of its attempt, and of what it keeps between two polls.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Polls an attempt, and drops it if it is over.
#[inline(always)]
pub(super) fn poll_once<Fut: Future>(
    mut running: Pin<&mut Option<Fut>>,
    cx: &mut Context<'_>,
) -> Poll<Fut::Output> {
    let polled = running.as_mut().as_pin_mut().map_or(Poll::Pending, |running| running.poll(cx));
    if polled.is_ready() {
        running.set(None);
    }
    polled
}

/// Keeps what a call needs at its next poll, where nothing is that would have to be dropped.
#[inline(always)]
pub(super) fn keep<T>(place: &mut Option<T>, rest: T) {
    mem::forget(place.replace(rest));
}

/// Empties the place when it is dropped, also where an attempt panics.
pub(super) struct Emptied<'r, T>(pub(super) &'r mut Option<T>);

impl<T> Drop for Emptied<'_, T> {
    #[inline]
    fn drop(&mut self) {
        *self.0 = None;
    }
}
