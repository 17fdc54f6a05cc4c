//! [`Driver`]: polls an operation's futures and obeys the engine.

use crate::call::decide::{SLOTS, Step};
use crate::call::engine::{Engine, Late};
use crate::call::hedger::{Hedger, Hedges, NoHedges};
use crate::call::site::Site;
use crate::error::{CallEnd, Error};
use crate::plan::Plan;
use crate::shared::Shared;
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

/// The call's plan, at once or as soon as its provider gives it.
macro_rules! plan_of {
    ($site:ident) => {
        match $site.plan_now() {
            Some(plan) => plan,
            None => $site.plan_later().await,
        }
    };
}

/// Attempt groups until the call is over: `$primary` makes a primary's future, `$hedges` what keeps its hedges.
macro_rules! run_groups {
    ($driver:ident, $attempt:ident => $primary:expr, $hedges:expr) => {
        while let Some($attempt) = $driver.engine.next_primary() {
            $driver.engine.enter(0);
            let mut primary = pin!(Some($primary));
            $driver.engine.leave();
            let mut hedges = $hedges;
            let won = poll_fn(|cx| $driver.poll(primary.as_mut(), &mut hedges, cx)).await;
            if let Some(value) = won {
                return P::report(Ok(value), || $driver.engine.take_timeline());
            }
            if $driver.engine.wait_comes() {
                poll_fn(|cx| $driver.engine.poll_wait(cx)).await;
            }
        }
    };
}

/// Attempts that share nothing mutable: several may be in flight.
pub(crate) async fn drive<P, T, E, M, F, Fut>(
    site: Site<'_>,
    mut operation: F,
) -> P::Output<Result<T, Error<E>>>
where
    P: Report,
    F: FnMut(Attempt) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    T: 'static,
    E: Failure<M>,
{
    let plan = plan_of!(site);
    let mut late = None;
    let mut driver = Driver::begin(site.shared, &plan, &mut late, site.idempotent, P::CAPTURE, true);
    run_groups!(driver, attempt => operation(attempt), Hedges::new(&mut operation));
    driver.finish::<P>()
}

/// Attempts that borrow their closure mutably: one at a time.
pub(crate) async fn drive_mut<P, T, E, M, F>(
    site: Site<'_>,
    mut operation: F,
) -> P::Output<Result<T, Error<E>>>
where
    P: Report,
    F: AsyncFnMut(Attempt) -> Result<T, E>,
    T: 'static,
    E: Failure<M>,
{
    let plan = plan_of!(site);
    let mut late = None;
    let mut driver = Driver::begin(site.shared, &plan, &mut late, site.idempotent, P::CAPTURE, false);
    run_groups!(driver, attempt => operation(attempt), NoHedges);
    driver.finish::<P>()
}

/// Attempts that borrow a state mutably, in a box that says whether it is `Send`: one at a time.
pub(crate) async fn drive_with<P, T, E, M, S, F>(
    site: Site<'_>,
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
    let plan = plan_of!(site);
    let mut late = None;
    let mut driver = Driver::begin(site.shared, &plan, &mut late, site.idempotent, P::CAPTURE, false);
    run_groups!(driver, attempt => operation(state, attempt), NoHedges);
    driver.finish::<P>()
}

struct Driver<'a, 'l, T, E, M> {
    engine: Engine<'a, 'l>,
    /// The last thing that the operation returned, and what it counted for in its group.
    last: Option<(Rank, Result<T, E>)>,
    marker: PhantomData<fn() -> M>,
}

/// Where a result stands among the results of its group.
#[derive(Clone, Copy)]
struct Rank {
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

impl<'a, 'l, T: 'static, E: Failure<M>, M> Driver<'a, 'l, T, E, M> {
    #[inline]
    fn begin(
        shared: &'a Shared,
        plan: &'a Plan,
        late: &'l mut Option<Late<'a>>,
        idempotent: Option<bool>,
        capture: bool,
        can_hedge: bool,
    ) -> Self {
        let engine = Engine::begin(shared, plan, late, idempotent, capture, can_hedge);
        Driver { engine, last: None, marker: PhantomData }
    }

    /// One poll of a group: results first, then time. A result that is ready in the poll in which a timer fires wins.
    ///
    /// Ready with the value where the call was still early and is over with it.
    #[inline]
    fn poll<P, H>(
        &mut self,
        mut primary: Pin<&mut Option<P>>,
        hedges: &mut H,
        cx: &mut Context<'_>,
    ) -> Poll<Option<T>>
    where
        P: Future<Output = Result<T, E>>,
        H: Hedger<Result<T, E>>,
    {
        let mut unpolled = [true; SLOTS];
        if self.engine.is_early() {
            if let Some(value) = self.poll_early(primary.as_mut(), cx) {
                return Poll::Ready(Some(value));
            }
            unpolled[0] = false;
        } else {
            self.engine.wake();
        }
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
                    return Poll::Ready(None);
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

    /// The first poll of an early call: nothing is in flight but its first attempt.
    #[inline]
    fn poll_early<P>(&mut self, mut primary: Pin<&mut Option<P>>, cx: &mut Context<'_>) -> Option<T>
    where
        P: Future<Output = Result<T, E>>,
    {
        let polled = primary.as_mut().as_pin_mut()?.poll(cx);
        let Poll::Ready(result) = polled else {
            self.engine.pended(0);
            return None;
        };
        primary.set(None);
        match result {
            Ok(value) if self.engine.succeeds_early() => return Some(value),
            result => self.returned(0, result),
        }
        None
    }

    /// An attempt has returned.
    #[inline]
    fn returned(&mut self, slot: usize, result: Result<T, E>) {
        let view = match &result {
            Ok(value) => AttemptResult::of_value(value),
            Err(error) => AttemptResult::of_error::<M, E>(error),
        };
        let group = self.engine.group();
        let (kind, decided) = self.engine.returned(slot, &view.with_idempotent(self.engine.idempotent()));
        #[allow(clippy::cast_possible_truncation, reason = "there are four slots")]
        let rank = Rank { group, kind, slot: slot as u8 };
        let outranked = self.last.as_ref().is_some_and(|(before, _)| before.outranks(rank));
        if decided || !outranked {
            let before = self.last.replace((rank, result));
            if before.is_some() {
                // What the operation returned may run its code once more.
                self.engine.guarded(usize::from(rank.slot), || drop(before));
            }
        }
    }

    #[inline]
    fn finish<P: Report>(&mut self) -> P::Output<Result<T, Error<E>>> {
        match self.last.take() {
            Some((_, Ok(value))) => {
                self.engine.finish(self.engine.stop(), None);
                P::report(Ok(value), || self.engine.take_timeline())
            }
            Some((_, Err(error))) => self.fail::<P>(Some(error)),
            None => self.fail::<P>(None),
        }
    }

    #[inline(never)]
    fn fail<P: Report>(&mut self, inner: Option<E>) -> P::Output<Result<T, Error<E>>> {
        // An error that the classifier calls a success is an accepted one.
        let stop = self.engine.stop().or(inner.is_some().then_some(StopReason::Accepted));
        let elapsed = self.engine.finish(stop, inner.as_ref().map(E::as_error));
        let (reason, cause) = self.engine.take_detail();
        let end = CallEnd {
            stop: stop.unwrap_or(StopReason::Abort),
            key: self.engine.key().clone(),
            attempts: self.engine.launched(),
            elapsed,
            reason,
            cause,
        };
        let error = Error::new(end, inner, E::as_error as fn(&E) -> &(dyn StdError + 'static));
        P::report(Err(error), || self.engine.take_timeline())
    }
}
