//! [`Driver`]: polls an operation's futures and obeys the engine.

use crate::call::decide::{SLOTS, Step};
use crate::call::engine::Engine;
use crate::call::hedger::{Hedger, Hedges, NoHedges};
use crate::call::site::{Start, Starting};
use crate::error::Error;
use recourse_core::{Attempt, AttemptResult, Failure, OutcomeKind, StopReason, Timeline};
use std::error::Error as StdError;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

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
    fn report<R>(result: R, _: impl FnOnce() -> Timeline) -> R {
        result
    }
}

pub(crate) struct Captured;

impl Report for Captured {
    type Output<R> = (R, Timeline);
    const CAPTURE: bool = true;
    fn report<R>(result: R, timeline: impl FnOnce() -> Timeline) -> (R, Timeline) {
        (result, timeline())
    }
}

/// Attempts that share nothing mutable: several may be in flight.
pub(crate) async fn drive<P, T, E, M, F, Fut>(
    starting: Starting<'_>,
    mut operation: F,
) -> P::Output<Result<T, Error<E>>>
where
    P: Report,
    F: FnMut(Attempt) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    T: 'static,
    E: Failure<M>,
{
    let mut driver = Driver::begin(starting.await, P::CAPTURE, true);
    while let Some(attempt) = driver.engine.next().await {
        driver.engine.enter(0);
        let mut primary = pin!(Some(operation(attempt)));
        driver.engine.leave();
        let mut hedges = Hedges::new(&mut operation);
        poll_fn(|cx| driver.poll(primary.as_mut(), &mut hedges, cx)).await;
    }
    driver.finish::<P>()
}

/// Attempts that borrow their closure mutably: one at a time.
pub(crate) async fn drive_mut<P, T, E, M, F>(
    starting: Starting<'_>,
    mut operation: F,
) -> P::Output<Result<T, Error<E>>>
where
    P: Report,
    F: AsyncFnMut(Attempt) -> Result<T, E>,
    T: 'static,
    E: Failure<M>,
{
    let mut driver = Driver::begin(starting.await, P::CAPTURE, false);
    while let Some(attempt) = driver.engine.next().await {
        driver.engine.enter(0);
        let mut primary = pin!(Some(operation(attempt)));
        driver.engine.leave();
        poll_fn(|cx| driver.poll(primary.as_mut(), &mut NoHedges, cx)).await;
    }
    driver.finish::<P>()
}

/// Attempts that borrow a state mutably, in a box that says whether it is `Send`: one at a time.
pub(crate) async fn drive_with<P, T, E, M, S, F>(
    starting: Starting<'_>,
    state: &mut S,
    mut operation: F,
) -> P::Output<Result<T, Error<E>>>
where
    P: Report,
    S: ?Sized,
    F: for<'s> FnMut(&'s mut S, Attempt) -> Pin<Box<dyn Future<Output = Result<T, E>> + Send + 's>>,
    T: 'static,
    E: Failure<M>,
{
    let mut driver = Driver::begin(starting.await, P::CAPTURE, false);
    while let Some(attempt) = driver.engine.next().await {
        driver.engine.enter(0);
        let mut primary = pin!(Some(operation(state, attempt)));
        driver.engine.leave();
        poll_fn(|cx| driver.poll(primary.as_mut(), &mut NoHedges, cx)).await;
    }
    driver.finish::<P>()
}

struct Driver<'a, T, E, M> {
    engine: Engine<'a>,
    /// The last thing that the operation returned, and what it counted for in its group.
    last: Option<(Rank, Result<T, E>)>,
    marker: PhantomData<fn() -> M>,
}

/// Where a result stands among the results of its group.
#[derive(Clone, Copy)]
struct Rank {
    group: u32,
    kind: OutcomeKind,
    slot: usize,
}

impl Rank {
    /// Of one group the most severe result counts; in a tie the primary's.
    fn outranks(self, other: Rank) -> bool {
        self.group == other.group
            && (self.kind > other.kind || (self.kind == other.kind && self.slot < other.slot))
    }
}

impl<'a, T: 'static, E: Failure<M>, M> Driver<'a, T, E, M> {
    fn begin(start: Start<'a>, capture: bool, can_hedge: bool) -> Self {
        Driver { engine: Engine::begin(start, capture, can_hedge), last: None, marker: PhantomData }
    }

    /// One poll of a group: results first, then time. A result that is ready in the poll in which a timer fires wins.
    fn poll<P, H>(
        &mut self,
        mut primary: Pin<&mut Option<P>>,
        hedges: &mut H,
        cx: &mut Context<'_>,
    ) -> Poll<()>
    where
        P: Future<Output = Result<T, E>>,
        H: Hedger<Result<T, E>>,
    {
        let mut unpolled = [true; SLOTS];
        loop {
            match self.engine.step() {
                Step::Poll => {}
                Step::Advise => {
                    self.engine.advise();
                    continue;
                }
                Step::Ask { slot } => {
                    if let Some(attempt) = self.engine.permit(slot) {
                        self.engine.guarded(slot, || hedges.launch(slot, attempt));
                    }
                    continue;
                }
                Step::Cut { slot } => {
                    self.engine.guarded(slot, || match slot {
                        0 => primary.set(None),
                        hedge => hedges.drop_one(hedge),
                    });
                    self.engine.timed_out(slot);
                    continue;
                }
                _ => {
                    self.engine.guarded(0, || {
                        primary.set(None);
                        hedges.drop_all();
                    });
                    self.engine.close_group();
                    return Poll::Ready(());
                }
            }
            let next = (0..SLOTS).find(|&slot| unpolled[slot] && self.engine.is_live(slot));
            let Some(slot) = next else {
                match self.engine.poll_due(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(()) => continue,
                }
            };
            unpolled[slot] = false;
            let polled = self.engine.guarded(slot, || match (slot, primary.as_mut().as_pin_mut()) {
                (0, Some(primary)) => primary.poll(cx),
                (0, None) => Poll::Pending,
                (hedge, _) => hedges.poll(hedge, cx),
            });
            match polled {
                Poll::Ready(result) => {
                    self.engine.guarded(slot, || match slot {
                        0 => primary.set(None),
                        hedge => hedges.drop_one(hedge),
                    });
                    self.returned(slot, result);
                }
                Poll::Pending => self.engine.pended(slot),
            }
        }
    }

    /// An attempt has returned.
    fn returned(&mut self, slot: usize, result: Result<T, E>) {
        let view = match &result {
            Ok(value) => AttemptResult::of_value(value),
            Err(error) => AttemptResult::of_error::<M, E>(error),
        };
        let group = self.engine.group();
        let (kind, decided) = self.engine.returned(slot, view);
        let rank = Rank { group, kind, slot };
        let outranked = self.last.as_ref().is_some_and(|(before, _)| before.outranks(rank));
        if decided || !outranked {
            self.last = Some((rank, result));
        }
    }

    fn finish<P: Report>(mut self) -> P::Output<Result<T, Error<E>>> {
        let last = self.last.take().map(|(_, result)| result);
        let stop = match (self.engine.stop(), &last) {
            (None, Some(Err(_))) => Some(StopReason::Accepted),
            (stop, _) => stop,
        };
        let elapsed = match &last {
            Some(Err(error)) => self.engine.finish(stop, Some(error.as_error())),
            _ => self.engine.finish(stop, None),
        };
        let inner = match last {
            Some(Ok(value)) => return P::report(Ok(value), || self.engine.take_timeline()),
            Some(Err(error)) => Some(error),
            None => None,
        };
        let (reason, cause) = self.engine.take_detail();
        let error = Error {
            stop: stop.unwrap_or(StopReason::Abort),
            key: self.engine.key().clone(),
            attempts: self.engine.launched(),
            elapsed,
            inner,
            reason,
            cause,
            look: E::as_error as fn(&E) -> &(dyn StdError + 'static),
        };
        P::report(Err(error), || self.engine.take_timeline())
    }
}
