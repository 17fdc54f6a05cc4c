//! [`Ended`]: the error of a call, with the parts and the memory that recourse's has.

use super::policy::Policy;
use recourse::{Failure, Key, Label, StopReason};
use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

/// Why a call ended, and the last error that the operation itself returned.
pub(super) struct Ended<E> {
    end: Kept,
    inner: Option<E>,
    look: fn(&E) -> &(dyn Error + 'static),
}

/// How a call ended.
#[derive(Debug)]
pub(super) struct End {
    pub(super) stop: StopReason,
    pub(super) key: Key,
    pub(super) attempts: u32,
    pub(super) elapsed: Duration,
    pub(super) reason: Label,
    pub(super) cause: Option<Arc<dyn Error + Send + Sync>>,
}

/// In memory that its thread uses again.
struct Kept(Option<Box<Option<End>>>);

thread_local! {
    static SPARE: Cell<Option<Box<Option<End>>>> = const { Cell::new(None) };
}

impl<E> Ended<E> {
    /// The end is written where it is kept.
    #[inline]
    pub(super) fn new(
        end: impl FnOnce() -> End,
        inner: Option<E>,
        look: fn(&E) -> &(dyn Error + 'static),
    ) -> Self {
        let mut room = SPARE.try_with(Cell::take).ok().flatten().unwrap_or_default();
        // Nothing is there that would have to be dropped.
        mem::forget(room.replace(end()));
        Ended { end: Kept(Some(room)), inner, look }
    }
}

impl Drop for Kept {
    #[inline]
    fn drop(&mut self) {
        if let Some(mut room) = self.0.take() {
            *room = None;
            // A thread that is ending keeps nothing.
            let _ = SPARE.try_with(|spare| spare.set(Some(room)));
        }
    }
}

impl<E> fmt::Debug for Ended<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ended").field(&self.end.0).field(&self.inner.as_ref().map(self.look)).finish()
    }
}

impl<E> fmt::Display for Ended<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Some(end)) = self.end.0.as_deref() {
            let End { stop, key, attempts, elapsed, reason, cause } = end;
            write!(f, "{key}: {stop} after {attempts} attempts in {elapsed:?}, {reason:?} {cause:?}")?;
        }
        match &self.inner {
            Some(inner) => write!(f, ": {}", (self.look)(inner)),
            None => Ok(()),
        }
    }
}

impl<E: 'static> Error for Ended<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.inner.as_ref().map(self.look)
    }
}

/// The error of a call that ends for this reason.
#[inline(always)]
pub(super) fn end<E: Failure<M>, M, G, P, L>(
    policy: &Policy<G, P, L>,
    stop: StopReason,
    attempts: u32,
    elapsed: Duration,
    reason: Label,
    inner: Option<E>,
) -> Ended<E> {
    let end = || End { stop, key: policy.key.clone(), attempts, elapsed, reason, cause: None };
    Ended::new(end, inner, E::as_error as fn(&E) -> &(dyn Error + 'static))
}
