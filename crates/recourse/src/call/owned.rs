//! [`Drive`]: the shell of calls whose attempts share nothing mutable, so that several may be in flight.
//!
//! Written by hand and not as an `async fn`, because nearly every call is over in its first poll: until something has to
//! be decided, it needs no more than the operation's future and its place.

use crate::call::driver::{Driver, Last, Report, poll_once};
use crate::call::hedger::{Hedges, Running};
use crate::call::held::Held;
use crate::call::site::{LaterPlan, Site};
use crate::error::Error;
use crate::plan::PlanRef;
use pin_project_lite::pin_project;
use recourse_core::{Attempt, Failure, Timeline};
use std::future::Future;
use std::marker::PhantomData;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// A call through [`Call::run`](super::Call::run).
    pub(crate) struct Drive<'a, P, T, E, M, F, Fut> {
        site: Site<'a>,
        operation: F,
        stage: Stage<'a>,
        #[pin]
        primary: Option<Fut>,
        rest: Option<Rest<'a, T, E, Fut>>,
        marker: PhantomData<fn() -> (P, M)>,
    }

    impl<'a, P, T, E, M, F, Fut> PinnedDrop for Drive<'a, P, T, E, M, F, Fut> {
        fn drop(this: Pin<&mut Self>) {
            if this.rest.is_some() {
                this.let_go();
            }
        }
    }
}

/// What a call needs that was not over at once.
struct Rest<'a, T, E, Fut> {
    /// `None` when it was let go of.
    held: Option<Held<'a>>,
    running: Running<Fut>,
    last: Last<T, E>,
}

impl<'a, T, E, Fut> Rest<'a, T, E, Fut> {
    #[inline(always)]
    fn over(held: Held<'a>) -> Self {
        Rest { held: Some(held), running: None, last: None }
    }

    #[inline]
    fn start(&mut self, capture: bool) {
        if let Some(held) = &mut self.held {
            held.engine().start(capture);
        }
    }

    /// Whether dropping it would do nothing.
    #[inline]
    fn is_empty(&self) -> bool {
        self.held.as_ref().is_none_or(Held::is_empty) && self.running.is_none() && self.last.is_none()
    }
}

/// Where a call stands between two polls.
enum Stage<'a> {
    Start,
    /// Its provider has not answered yet.
    Planning(LaterPlan<'a>),
    /// Attempts are in flight.
    Group,
    /// The wait before the next group.
    Waiting,
    /// The next group is about to start, or the call to end.
    Between,
    Over,
}

/// A call at its start.
#[inline]
pub(crate) fn drive<'a, P, T, E, M, F, Fut>(site: Site<'a>, operation: F) -> Drive<'a, P, T, E, M, F, Fut> {
    Drive { site, operation, stage: Stage::Start, primary: None, rest: None, marker: PhantomData }
}

impl<'a, P, T, E, M, F, Fut> Drive<'a, P, T, E, M, F, Fut> {
    /// Drops the attempts, and then gives back what was taken for them. Kept out of the way of a call that was over at once.
    #[inline(never)]
    fn let_go(self: Pin<&mut Self>) {
        let mut this = self.project();
        this.primary.set(None);
        if let Some(rest) = this.rest {
            rest.running = None;
            rest.held = None;
        }
    }
}

/// Lets go of everything if a poll unwinds, before whoever catches it can look.
struct Unwinding<'d, 'a, P, T, E, M, F, Fut>(Pin<&'d mut Drive<'a, P, T, E, M, F, Fut>>);

impl<P, T, E, M, F, Fut> Drop for Unwinding<'_, '_, P, T, E, M, F, Fut> {
    #[cold]
    fn drop(&mut self) {
        self.0.as_mut().let_go();
    }
}

impl<P, T, E, M, F, Fut> Future for Drive<'_, P, T, E, M, F, Fut>
where
    P: Report,
    F: FnMut(Attempt) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    T: 'static,
    E: Failure<M>,
{
    type Output = P::Output<Result<T, Error<E>>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut unwinding = Unwinding(self);
        let polled = unwinding.0.as_mut().step(cx);
        mem::forget(unwinding);
        polled
    }
}

impl<'a, P, T, E, M, F, Fut> Drive<'a, P, T, E, M, F, Fut>
where
    P: Report,
    F: FnMut(Attempt) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    T: 'static,
    E: Failure<M>,
{
    #[inline]
    fn step(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<P::Output<Result<T, Error<E>>>> {
        let mut this = self.as_mut().project();
        if !matches!(this.stage, Stage::Start) {
            return self.go_on(None, cx);
        }
        *this.stage = Stage::Over;
        let plan = match this.site.first_plan() {
            Some(plan) if plan.is_free && !P::CAPTURE => {
                // Nothing is taken, so nothing has to be held while the attempt runs for the first time.
                let around = this.site.around();
                let nesting = plan.nesting.and(around);
                let polled = nesting.run(|| {
                    this.primary.set(Some((this.operation)(plan.first_attempt(nesting))));
                    poll_once(this.primary, cx)
                });
                if let Poll::Ready(Ok(value)) = polled {
                    return Poll::Ready(P::report(Ok(value), no_timeline));
                }
                let held = Held::in_flight(this.site, PlanRef::Kept(plan), around);
                return self.become_late(held, polled, cx);
            }
            Some(plan) => Some(PlanRef::Kept(plan)),
            None => this.site.plan_now(),
        };
        let plan = match plan {
            Some(plan) if plan.starts_early && !P::CAPTURE => plan,
            at_hand => return self.start(at_hand, cx),
        };
        let mut held = Held::new(this.site, plan, true, this.site.around());
        let mut engine = held.engine();
        let Some(attempt) = engine.permit(0) else {
            if engine.is_early() {
                let refused = Driver::over(&mut held, &mut None).fail::<P>(None);
                if held.is_empty() {
                    mem::forget(held);
                }
                return Poll::Ready(refused);
            }
            *this.rest = Some(Rest::over(held));
            *this.stage = Stage::Between;
            return self.go_on(None, cx);
        };
        let polled = engine.attempting(0, || {
            this.primary.set(Some((this.operation)(attempt)));
            poll_once(this.primary, cx)
        });
        match polled {
            Poll::Ready(Ok(value)) if engine.succeeds_early() => {
                if held.is_empty() {
                    mem::forget(held);
                }
                Poll::Ready(P::report(Ok(value), no_timeline))
            }
            polled => {
                *this.rest = Some(Rest::over(held));
                *this.stage = Stage::Group;
                self.go_on(Some(polled), cx)
            }
        }
    }

    /// The first attempt did not succeed at once: this is what its first poll gave.
    #[inline]
    fn become_late(
        mut self: Pin<&mut Self>,
        held: Held<'a>,
        polled: Poll<Result<T, E>>,
        cx: &mut Context<'_>,
    ) -> Poll<P::Output<Result<T, Error<E>>>> {
        let this = self.as_mut().project();
        *this.rest = Some(Rest::over(held));
        *this.stage = Stage::Group;
        self.go_on(Some(polled), cx)
    }

    /// Starts a call that has somebody to ask or to tell before its first attempt, or has no plan yet.
    #[inline(never)]
    fn start(
        mut self: Pin<&mut Self>,
        plan: Option<PlanRef<'a>>,
        cx: &mut Context<'_>,
    ) -> Poll<P::Output<Result<T, Error<E>>>> {
        let this = self.as_mut().project();
        *this.stage = match plan {
            Some(plan) => {
                let held = Held::new(this.site, plan, true, this.site.around());
                this.rest.insert(Rest::over(held)).start(P::CAPTURE);
                Stage::Between
            }
            None => {
                // What runs round the call is what ran round its first poll.
                this.site.within = this.site.around();
                Stage::Planning(this.site.plan_later())
            }
        };
        self.go_on(None, cx)
    }

    /// Goes on from where the call stands. `taken` is what the first poll of the first attempt gave.
    #[inline(never)]
    fn go_on(
        self: Pin<&mut Self>,
        taken: Option<Poll<Result<T, E>>>,
        cx: &mut Context<'_>,
    ) -> Poll<P::Output<Result<T, Error<E>>>> {
        let mut this = self.project();
        if let Stage::Planning(later) = this.stage {
            let plan = ready!(later.as_mut().poll(cx));
            let held = Held::new(this.site, plan, true, this.site.within);
            this.rest.insert(Rest::over(held)).start(P::CAPTURE);
            *this.stage = Stage::Between;
        }
        let Some(Rest { held: Some(held), running, last }) = this.rest else {
            panic!("a call was polled after its end");
        };
        let mut driver = Driver::over(held, last);
        let mut polled_first = taken.is_some();
        if let Some(polled) = taken {
            driver.take(0, polled);
            if driver.engine.is_early() {
                return Poll::Pending;
            }
        }
        loop {
            match this.stage {
                Stage::Group => {
                    let mut hedges = Hedges::new(this.operation, running);
                    let primary = this.primary.as_mut();
                    let polled = match mem::take(&mut polled_first) {
                        true => driver.poll_rest(primary, &mut hedges, cx).map(|()| None),
                        false => driver.poll(primary, &mut hedges, cx),
                    };
                    if let Some(value) = ready!(polled) {
                        *this.stage = Stage::Over;
                        if this.rest.as_ref().is_some_and(Rest::is_empty) {
                            mem::forget(this.rest.take());
                        }
                        return Poll::Ready(P::report(Ok(value), no_timeline));
                    }
                    *this.stage = match driver.engine.is_over() {
                        false if driver.engine.wait_comes() => Stage::Waiting,
                        _ => Stage::Between,
                    };
                }
                Stage::Waiting => {
                    ready!(driver.engine.poll_wait(cx));
                    *this.stage = Stage::Between;
                }
                _ => match driver.engine.next_primary() {
                    Some(attempt) => {
                        driver.engine.attempting(0, || this.primary.set(Some((this.operation)(attempt))));
                        *this.stage = Stage::Group;
                    }
                    None => {
                        *this.stage = Stage::Over;
                        return Poll::Ready(driver.finish::<P>());
                    }
                },
            }
        }
    }
}

/// A call that was never late has no timeline, and nobody who asked for one.
fn no_timeline() -> Timeline {
    unreachable!("a call that is recorded is late from its start")
}
