//! [`Driver`]: polls an operation's futures and obeys the engine. Where these futures stand is the shells' affair:
//! [`owned`](super::owned) and [`borrowed`](super::borrowed).

use crate::call::decide::{SLOTS, Step};
use crate::call::engine::Engine;
use crate::call::hedger::Hedger;
use crate::call::held::Held;
use crate::call::verdict::Verdict;
use crate::error::{CallEnd, Error};
use recourse_core::{AttemptResult, Failure, OutcomeKind, StopReason, Timeline};
use std::error::Error as StdError;
use std::future::Future;
use std::marker::PhantomData;
use std::mem::needs_drop;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// What a caller gets beside the result: nothing, or the timeline.
pub(crate) trait Report {
    type Output<R>;
    const CAPTURE: bool;
    fn report<R>(result: R, timeline: impl FnOnce() -> Timeline) -> Self::Output<R>;
}

pub(crate) struct Plain;

impl Report for Plain {
    type Output<R> = R;
    const CAPTURE: bool = false;
    #[inline]
    fn report<R>(result: R, _: impl FnOnce() -> Timeline) -> R {
        result
    }
}

pub(crate) struct Captured;

impl Report for Captured {
    type Output<R> = (R, Timeline);
    const CAPTURE: bool = true;
    #[inline]
    fn report<R>(result: R, timeline: impl FnOnce() -> Timeline) -> (R, Timeline) {
        (result, timeline())
    }
}

/// What the operation returned last, and what it counted for in its group.
pub(crate) type Last<T, E> = Option<(Rank, Result<T, E>)>;

/// The engine of a call, with the types of its operation.
pub(crate) struct Driver<'h, 'a, T, E, M> {
    pub(super) engine: Engine<'h, 'a>,
    last: &'h mut Last<T, E>,
    marker: PhantomData<fn() -> M>,
}

/// Every slot of a group, a bit each.
const ALL: u8 = (1 << SLOTS) - 1;

/// Polls an attempt, and drops it if it is over.
#[inline]
pub(crate) fn poll_once<Fut: Future>(
    mut attempt: Pin<&mut Option<Fut>>,
    cx: &mut Context<'_>,
) -> Poll<Fut::Output> {
    let polled = attempt.as_mut().as_pin_mut().map_or(Poll::Pending, |attempt| attempt.poll(cx));
    if polled.is_ready() {
        attempt.set(None);
    }
    polled
}

/// Where a result stands among the results of its group.
#[derive(Clone, Copy)]
pub(crate) struct Rank {
    group: u32,
    kind: OutcomeKind,
    slot: u8,
}

impl Rank {
    /// Of one group the most severe result counts; in a tie the primary's.
    fn outranks(self, other: Rank) -> bool {
        self.group == other.group
            && (self.kind > other.kind || (self.kind == other.kind && self.slot < other.slot))
    }
}

impl<'h, 'a, T: 'static, E: Failure<M>, M> Driver<'h, 'a, T, E, M> {
    #[inline]
    pub(crate) fn over(held: &'h mut Held<'a>, last: &'h mut Last<T, E>) -> Self {
        Driver { engine: held.engine(), last, marker: PhantomData }
    }

    /// One poll of a group: results first, then time. A result that is ready in the poll in which a timer fires wins.
    ///
    /// Ready with the value that the call is over with.
    #[inline]
    pub(crate) fn poll<P, H>(
        &mut self,
        mut primary: Pin<&mut Option<P>>,
        hedges: &mut H,
        cx: &mut Context<'_>,
    ) -> Poll<Option<T>>
    where
        P: Future<Output = Result<T, E>>,
        H: Hedger<Result<T, E>>,
    {
        if !self.engine.is_early() {
            return self.poll_group(primary, hedges, cx);
        }
        let polled = self.engine.attempting(0, || poll_once(primary.as_mut(), cx));
        match self.take_early(polled) {
            ControlFlow::Break(polled) => polled.map(Some),
            ControlFlow::Continue(polled) => self.after_first(polled, primary, hedges, cx),
        }
    }

    /// One poll of a group that is not early.
    #[inline(always)]
    pub(super) fn poll_group<P, H>(
        &mut self,
        mut primary: Pin<&mut Option<P>>,
        hedges: &mut H,
        cx: &mut Context<'_>,
    ) -> Poll<Option<T>>
    where
        P: Future<Output = Result<T, E>>,
        H: Hedger<Result<T, E>>,
    {
        if !self.engine.awaits_primary() {
            return self.poll_late(ALL, primary, hedges, cx);
        }
        let polled = self.engine.attempting(0, || poll_once(primary.as_mut(), cx));
        self.after_first(polled, primary, hedges, cx)
    }

    /// The rest of a poll in which the group's primary, alone in flight and not early any more, gave this.
    #[inline(always)]
    pub(crate) fn after_first<P, H>(
        &mut self,
        polled: Poll<Result<T, E>>,
        primary: Pin<&mut Option<P>>,
        hedges: &mut H,
        cx: &mut Context<'_>,
    ) -> Poll<Option<T>>
    where
        P: Future<Output = Result<T, E>>,
        H: Hedger<Result<T, E>>,
    {
        match polled {
            Poll::Pending => ready!(self.engine.primary_pended(cx)),
            Poll::Ready(Ok(value)) if self.engine.values_succeed() && self.last.is_none() => {
                self.engine.won_alone();
                return Poll::Ready(Some(value));
            }
            polled => {
                if let Some(value) = self.take(0, polled) {
                    return Poll::Ready(Some(self.won(value, primary, hedges)));
                }
                if self.engine.group_is_over() && primary.is_none() && hedges.is_empty() {
                    debug_assert!(!self.engine.any_open(), "what was in flight has returned");
                    return Poll::Ready(None);
                }
            }
        }
        self.poll_late(ALL & !1, primary, hedges, cx)
    }

    /// One poll of a group that is not early. Of its attempts only those are polled that are in `unpolled`, a bit a slot.
    fn poll_late<P, H>(
        &mut self,
        mut unpolled: u8,
        mut primary: Pin<&mut Option<P>>,
        hedges: &mut H,
        cx: &mut Context<'_>,
    ) -> Poll<Option<T>>
    where
        P: Future<Output = Result<T, E>>,
        H: Hedger<Result<T, E>>,
    {
        loop {
            match self.engine.step() {
                Step::Poll => {}
                Step::Advise => {
                    self.engine.advise();
                    continue;
                }
                Step::Ask { slot } => {
                    if self.engine.permit(slot) {
                        let attempt = self.engine.attempt(slot);
                        self.engine.launching(slot, attempt, || hedges.launch(slot, attempt));
                    }
                    continue;
                }
                Step::Cut { slot } => {
                    self.engine.attempting(slot, || match slot {
                        0 => primary.set(None),
                        hedge => hedges.drop_one(hedge),
                    });
                    self.engine.timed_out(slot);
                    continue;
                }
                _ => {
                    self.close_group(primary, hedges);
                    return Poll::Ready(None);
                }
            }
            let next = unpolled & self.engine.live();
            if next == 0 {
                match self.engine.poll_due(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(()) => continue,
                }
            }
            let slot = next.trailing_zeros() as usize;
            unpolled &= !(1 << slot);
            let polled = self.engine.attempting(slot, || match slot {
                0 => poll_once(primary.as_mut(), cx),
                hedge => {
                    let polled = hedges.poll(hedge, cx);
                    if polled.is_ready() {
                        hedges.drop_one(hedge);
                    }
                    polled
                }
            });
            if let Some(value) = self.take(slot, polled) {
                return Poll::Ready(Some(self.won(value, primary, hedges)));
            }
        }
    }

    /// The call is over with this value.
    #[inline(always)]
    fn won<P, H: Hedger<Result<T, E>>>(
        &mut self,
        value: T,
        primary: Pin<&mut Option<P>>,
        hedges: &mut H,
    ) -> T {
        self.close_group(primary, hedges);
        self.engine.finish(None, None);
        value
    }

    /// Drops what is in flight, and closes it.
    #[inline(always)]
    fn close_group<P, H: Hedger<Result<T, E>>>(&mut self, mut primary: Pin<&mut Option<P>>, hedges: &mut H) {
        if primary.is_some() || !hedges.is_empty() {
            self.engine.guarded(0, || {
                primary.set(None);
                hedges.drop_all();
            });
        }
        self.engine.close_group();
    }

    /// Takes what the poll of an early call's attempt gave, where that ends the call or leaves it early; else hands it on.
    #[inline(always)]
    pub(crate) fn take_early(
        &mut self,
        polled: Poll<Result<T, E>>,
    ) -> ControlFlow<Poll<T>, Poll<Result<T, E>>> {
        match polled {
            Poll::Ready(Ok(value)) if self.engine.succeeds_early() => ControlFlow::Break(Poll::Ready(value)),
            Poll::Pending if self.engine.waits_early() => ControlFlow::Break(Poll::Pending),
            polled => ControlFlow::Continue(polled),
        }
    }

    /// Takes what the poll of an attempt gave. A value that the call is over with is handed on.
    #[inline(always)]
    pub(crate) fn take(&mut self, slot: usize, polled: Poll<Result<T, E>>) -> Option<T> {
        match polled {
            Poll::Ready(Ok(value)) if self.engine.values_succeed() => {
                self.engine.succeeded(slot);
                self.drop_last(slot);
                Some(value)
            }
            Poll::Ready(result) => self.returned(slot, result),
            Poll::Pending => {
                self.engine.pended(slot);
                None
            }
        }
    }

    /// An attempt has returned what has to be judged.
    #[inline(always)]
    fn returned(&mut self, slot: usize, result: Result<T, E>) -> Option<T> {
        let (group, idempotent) = (self.engine.group(), self.engine.idempotent());
        let view = match &result {
            Ok(value) => AttemptResult::of_value(value),
            Err(error) => AttemptResult::of_error::<M, E>(error),
        };
        let Verdict { kind, decides_group } = self.engine.judge(slot, &view.with_idempotent(idempotent));
        #[allow(clippy::cast_possible_truncation, reason = "there are four slots")]
        let rank = Rank { group, kind, slot: slot as u8 };
        let outranked = self.last.as_ref().is_some_and(|(before, _)| before.outranks(rank));
        if decides_group || !outranked {
            match result {
                Ok(value) if kind == OutcomeKind::Success => {
                    self.drop_last(slot);
                    return Some(value);
                }
                result => {
                    let before = self.last.replace((rank, result));
                    self.drop_guarded(slot, before);
                }
            }
        }
        None
    }

    #[inline]
    fn drop_last(&mut self, slot: usize) {
        let last = self.last.take();
        self.drop_guarded(slot, last);
    }

    /// What the operation returned before may run its code once more.
    #[inline]
    fn drop_guarded(&mut self, slot: usize, before: Last<T, E>) {
        if needs_drop::<Result<T, E>>() && before.is_some() {
            self.engine.guarded(slot, || drop(before));
        }
    }

    /// Between two groups. What the last one has ended is not asked for more.
    #[inline(always)]
    pub(crate) fn poll_between(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        match self.engine.is_over() {
            true => Poll::Ready(false),
            false => self.engine.poll_between(cx),
        }
    }

    #[inline(always)]
    pub(crate) fn finish<P: Report>(&mut self) -> P::Output<Result<T, Error<E>>> {
        let error = match self.last.take() {
            Some((_, Ok(value))) => {
                self.engine.finish(self.engine.stop(), None);
                return self.report::<P>(Ok(value));
            }
            Some((_, Err(error))) => Some(error),
            None => None,
        };
        self.fail::<P>(error)
    }

    /// Inlined, so that the result is not read from memory that was written a moment before.
    #[inline(always)]
    fn fail<P: Report>(&mut self, inner: Option<E>) -> P::Output<Result<T, Error<E>>> {
        // An error that the classifier calls a success is an accepted one.
        let stop = self.engine.stop().or(inner.is_some().then_some(StopReason::Accepted));
        let elapsed = self.engine.finish(stop, inner.as_ref().map(E::as_error));
        let engine = &mut self.engine;
        let end = || {
            let (reason, cause) = engine.take_detail();
            let (attempts, key) = (engine.launched(), engine.key().clone());
            CallEnd { stop: stop.unwrap_or(StopReason::Abort), key, attempts, elapsed, reason, cause }
        };
        let error = Error::new(end, inner, E::as_error as fn(&E) -> &(dyn StdError + 'static));
        self.report::<P>(Err(error))
    }

    /// The timeline's memory goes where it is wanted next: to the caller, or back to the thread.
    #[inline]
    fn report<P: Report>(&mut self, result: Result<T, Error<E>>) -> P::Output<Result<T, Error<E>>> {
        if !P::CAPTURE && self.engine.is_recorded() {
            self.engine.drop_timeline();
        }
        P::report(result, || self.engine.take_timeline())
    }
}
