//! [`Rest`]: what a call needs that was not over at once.

use crate::call::driver::{Driver, Last};
use crate::call::hedger::Running;
use crate::call::held::Held;
use crate::call::recorder::Recorder;
use crate::call::site::LaterPlan;
use crate::plan::Unkept;
use recourse_core::{Failure, Timeline};
use std::mem;
use std::pin::Pin;

/// What a call needs that was not over at once.
#[allow(
    clippy::large_enum_variant,
    reason = "most of these are underway, and a box would have to be allocated"
)]
pub(super) enum Rest<'a, T, E, Fut, R> {
    /// It has not started, and its key has no place.
    Unkept(Box<Unkept>),
    /// Its provider has not answered yet.
    Planning(LaterPlan<'a>),
    Underway(Underway<'a, T, E, Fut>),
    /// It is over, and this is its result, until it is taken. Kept here and not handed up: where the ways of a call meet,
    /// the result of one that was over at once is in registers, and must not be read from memory that was written a moment
    /// before.
    Done(Option<R>),
    /// It is over with a value, and this has its timeline.
    Captured(Recorder),
}

/// What a call needs while it runs.
pub(super) struct Underway<'a, T, E, Fut> {
    /// `None` when it was let go of.
    pub(super) held: Option<Held<'a>>,
    pub(super) running: Running<Fut>,
    pub(super) last: Last<T, E>,
}

impl<'a, T, E, Fut, R> Rest<'a, T, E, Fut, R> {
    #[inline(always)]
    pub(super) fn over(held: Held<'a>) -> Self {
        Rest::Underway(Underway { held: Some(held), running: None, last: None })
    }

    /// Whether dropping it would do nothing, which is known at a glance.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Rest::Underway(Underway { held, running: None, last: None }) => {
                held.as_ref().is_none_or(Held::is_empty)
            }
            _ => false,
        }
    }
}

/// Drops the attempts, and then gives back what was taken for them.
pub(super) fn let_go<T, E, Fut, R>(
    mut primary: Pin<&mut Option<Fut>>,
    rest: &mut Option<Rest<'_, T, E, Fut, R>>,
) {
    primary.set(None);
    if let Some(Rest::Underway(underway)) = rest {
        underway.running = None;
        underway.held = None;
    }
}

/// Empties the place when it is dropped, also where an attempt panics that is dropped before.
pub(super) struct Emptied<'r, T>(pub(super) &'r mut Option<T>);

impl<T> Drop for Emptied<'_, T> {
    fn drop(&mut self) {
        *self.0 = None;
    }
}

/// Puts this where nothing is, and so nothing has to be dropped.
#[inline(always)]
pub(super) fn fill<T>(place: &mut Option<T>, rest: T) {
    debug_assert!(place.is_none());
    mem::forget(place.replace(rest));
}

/// Leaves this in the place of a call that is over. What the call held is mostly nothing, and then is not dropped.
#[inline(always)]
pub(super) fn leave<'a, T, E, Fut, R>(
    place: &mut Option<Rest<'a, T, E, Fut, R>>,
    rest: Option<Rest<'a, T, E, Fut, R>>,
) {
    match place.as_ref().is_some_and(Rest::is_empty) {
        true => mem::forget(mem::replace(place, rest)),
        false => *place = rest,
    }
}

/// The result that a call has left here.
#[inline]
pub(super) fn take_result<T, E, Fut, R>(place: &mut Option<Rest<'_, T, E, Fut, R>>) -> R {
    let Some(Rest::Done(result)) = place else {
        unreachable!("a call that is over has left its result");
    };
    let result = result.take().unwrap_or_else(|| unreachable!("it was left just now"));
    // What is left is nothing, and is not dropped.
    mem::forget(place.take());
    result
}

/// The driver of a call that is underway.
#[inline(always)]
pub(super) fn driver<'h, 'a, T: 'static, E: Failure<M>, M, Fut, R>(
    rest: &'h mut Option<Rest<'a, T, E, Fut, R>>,
) -> Driver<'h, 'a, T, E, M> {
    underway(rest).0
}

/// The driver of a call that is underway, and the place of its hedges.
#[inline(always)]
pub(super) fn underway<'h, 'a, T: 'static, E: Failure<M>, M, Fut, R>(
    rest: &'h mut Option<Rest<'a, T, E, Fut, R>>,
) -> (Driver<'h, 'a, T, E, M>, &'h mut Running<Fut>) {
    match rest {
        Some(Rest::Underway(Underway { held: Some(held), last, running })) => {
            (Driver::over(held, last), running)
        }
        _ => polled_after_its_end(),
    }
}

/// Its operation must not run once more.
#[cold]
pub(super) fn polled_after_its_end() -> ! {
    panic!("a call was polled after its end");
}

/// A call that is not captured has nobody who asks for a timeline.
pub(super) fn no_timeline() -> Timeline {
    unreachable!("a captured call leaves its timeline")
}
