//! Which attempt runs on this thread, so that calls inside it know: of the shape that recourse has.

use std::cell::Cell;

/// What runs round a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around(u8);

const INSIDE: u8 = 1;
const RETRIED: u8 = 2;

thread_local! {
    static AROUND: Cell<Around> = const { Cell::new(Around(0)) };
}

impl Around {
    /// What runs round this here.
    #[inline]
    pub(super) fn here() -> Self {
        AROUND.get()
    }

    /// An attempt inside this, which its call may retry or not.
    #[inline]
    pub(super) fn attempt(self, may_be_retried: bool) -> Self {
        Around(self.0 | if may_be_retried { INSIDE | RETRIED } else { INSIDE })
    }

    /// Whether the attempt may be retried, by its own call or by one round that.
    #[inline]
    pub(super) fn may_be_retried(self) -> bool {
        self.0 & RETRIED != 0
    }

    /// Runs the operation's code, so that calls in it know.
    #[inline]
    pub(super) fn run<R>(self, code: impl FnOnce() -> R) -> R {
        let _before = Before(AROUND.replace(self));
        code()
    }
}

/// Puts back what was there before, also where the operation panics.
struct Before(Around);

impl Drop for Before {
    #[inline]
    fn drop(&mut self) {
        AROUND.set(self.0);
    }
}
