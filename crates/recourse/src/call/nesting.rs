//! [`Nesting`]: whether a call runs inside an attempt of another call.
//!
//! An attempt's operation is polled on the caller's task, so whatever is polled meanwhile on this thread runs inside that
//! attempt. A call that is spawned elsewhere has to be told.

use recourse_core::Attempt;
use std::cell::Cell;

/// What runs round a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Nesting(u8);

const INSIDE: u8 = 1;
const RETRIED: u8 = 2;

thread_local! {
    static AROUND: Cell<Nesting> = const { Cell::new(Nesting::NONE) };
}

impl Nesting {
    /// No attempt.
    pub(crate) const NONE: Nesting = Nesting(0);

    /// An attempt, which may be retried or not.
    #[inline]
    pub(crate) fn in_attempt(may_be_retried: bool) -> Self {
        Nesting(if may_be_retried { INSIDE | RETRIED } else { INSIDE })
    }

    /// This attempt.
    pub(crate) fn within(attempt: Attempt) -> Self {
        Nesting::in_attempt(attempt.may_be_retried())
    }

    /// What runs round this here.
    #[inline]
    pub(crate) fn around() -> Self {
        AROUND.get()
    }

    /// Both: whoever of the two retries, retries.
    #[inline]
    pub(crate) fn and(self, other: Nesting) -> Self {
        Nesting(self.0 | other.0)
    }

    #[inline]
    pub(crate) fn is_inside(self) -> bool {
        self.0 & INSIDE != 0
    }

    /// Whether the attempt may be retried, by its own call or by one round that.
    #[inline]
    pub(crate) fn is_retried(self) -> bool {
        self.0 & RETRIED != 0
    }

    /// Runs an attempt's code, so that calls in it know.
    #[inline]
    pub(crate) fn run<R>(self, code: impl FnOnce() -> R) -> R {
        let _before = self.enter();
        code()
    }

    /// An attempt's code runs until the answer is dropped.
    #[inline]
    pub(crate) fn enter(self) -> Before {
        Before(AROUND.replace(self))
    }
}

/// Puts back what was there before, also where the operation panics.
pub(crate) struct Before(Nesting);

impl Drop for Before {
    #[inline]
    fn drop(&mut self) {
        AROUND.set(self.0);
    }
}
