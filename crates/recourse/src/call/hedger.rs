//! [`Hedger`]: where a group's hedges are kept, for operations that can have several attempts at once.

use crate::call::decide::SLOTS;
use recourse_core::Attempt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The hedges of a group, by slot. The primary stands elsewhere: it needs no box.
pub(crate) trait Hedger<R> {
    fn launch(&mut self, slot: usize, attempt: Attempt);

    fn poll(&mut self, slot: usize, cx: &mut Context<'_>) -> Poll<R>;

    /// Drops one hedge.
    fn drop_one(&mut self, slot: usize);

    /// Drops every hedge.
    fn drop_all(&mut self);

    /// Whether no hedge was launched in this group.
    fn is_empty(&self) -> bool;
}

/// One attempt at a time.
pub(crate) struct NoHedges;

impl<R> Hedger<R> for NoHedges {
    fn launch(&mut self, _: usize, _: Attempt) {}

    fn poll(&mut self, _: usize, _: &mut Context<'_>) -> Poll<R> {
        Poll::Pending
    }

    fn drop_one(&mut self, _: usize) {}

    #[inline]
    fn drop_all(&mut self) {}

    #[inline]
    fn is_empty(&self) -> bool {
        true
    }
}

/// Hedges made by the same closure as their primary, boxed when they are launched.
pub(crate) struct Hedges<'f, F, Fut> {
    operation: &'f mut F,
    running: &'f mut Running<Fut>,
}

/// Seldom there, so that every call's future holds no more than a pointer for it.
pub(crate) type Running<Fut> = Option<Box<[Option<Pin<Box<Fut>>>; SLOTS - 1]>>;

impl<'f, F, Fut> Hedges<'f, F, Fut> {
    #[inline]
    pub(crate) fn new(operation: &'f mut F, running: &'f mut Running<Fut>) -> Self {
        Hedges { operation, running }
    }
}

impl<F: FnMut(Attempt) -> Fut, Fut: Future> Hedger<Fut::Output> for Hedges<'_, F, Fut> {
    fn launch(&mut self, slot: usize, attempt: Attempt) {
        let hedge = Box::pin((self.operation)(attempt));
        self.running.get_or_insert_with(|| Box::new([const { None }; SLOTS - 1]))[slot - 1] = Some(hedge);
    }

    fn poll(&mut self, slot: usize, cx: &mut Context<'_>) -> Poll<Fut::Output> {
        match self.running.as_mut().and_then(|running| running[slot - 1].as_mut()) {
            Some(hedge) => hedge.as_mut().poll(cx),
            None => Poll::Pending,
        }
    }

    fn drop_one(&mut self, slot: usize) {
        if let Some(running) = self.running {
            running[slot - 1] = None;
        }
    }

    #[inline]
    fn is_empty(&self) -> bool {
        self.running.is_none()
    }

    #[inline]
    fn drop_all(&mut self) {
        if let Some(running) = self.running {
            running.iter_mut().for_each(|hedge| *hedge = None);
        }
    }
}
