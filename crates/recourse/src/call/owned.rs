//! [`Drive`]: the shell of calls whose attempts share nothing mutable, so that several may be in flight.
//!
//! Written by hand and not as an `async fn`, because nearly every call is over in its first poll: until something has to
//! be decided, it needs no more than the operation's future and its place.

use crate::call::driver::{Report, poll_once};
use crate::call::entry::{Entry, Glanced};
use crate::call::hedger::Hedges;
use crate::call::held::Held;
use crate::call::nesting::Nesting;
use crate::call::pass::{NoPass, Pass};
use crate::call::permit::circuit_stop;
use crate::call::recorder::Recorder;
use crate::call::rest::{
    Emptied, Rest, driver, fill, leave, let_go, no_timeline, polled_after_its_end, take_result, underway,
};
use crate::call::site::Site;
use crate::error::Error;
use crate::plan::{Plan, PlanRef, Unkept};
use pin_project_lite::pin_project;
use recourse_core::{Admission, Attempt, Failure, StopReason};
use std::error::Error as StdError;
use std::future::Future;
use std::marker::PhantomData;
use std::mem::{self, ManuallyDrop};
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// A call through [`Call::run`](super::Call::run).
    pub(crate) struct Drive<'a, P, T, E, M, F, Fut>
    where
        P: Report,
    {
        site: Site<'a>,
        operation: F,
        stage: Stage,
        #[pin]
        primary: Option<Fut>,
        // Dropped by hand, so that it is not looked at twice in a call that was over at once.
        rest: ManuallyDrop<Option<Rest<'a, T, E, Fut, P::Output<Result<T, Error<E>>>>>>,
        marker: PhantomData<fn() -> M>,
    }

    impl<'a, P, T, E, M, F, Fut> PinnedDrop for Drive<'a, P, T, E, M, F, Fut>
    where
        P: Report,
    {
        fn drop(this: Pin<&mut Self>) {
            if this.rest.is_some() {
                this.drop_rest();
            }
        }
    }
}

/// A call's poll: ready with the value of an early success, or with nothing where the result lies in [`Rest::Done`].
type Polled<T> = Poll<Option<T>>;

/// Where a call stands between two polls.
enum Stage {
    Start,
    /// The first attempt of a call that is early is in flight.
    First,
    /// Attempts are in flight.
    Group,
    /// The next group is waited for, or about to start, or the call to end; or its plan isn't there yet.
    Between,
    Over,
}

/// A call at its start.
#[inline]
pub(crate) fn drive<'a, P, T, E, M, F, Fut>(
    site: Site<'a>,
    unkept: Option<Box<Unkept>>,
    operation: F,
) -> Drive<'a, P, T, E, M, F, Fut>
where
    P: Report,
{
    Drive {
        site,
        operation,
        stage: Stage::Start,
        primary: None,
        rest: ManuallyDrop::new(unkept.map(Rest::Unkept)),
        marker: PhantomData,
    }
}

impl<'a, P: Report, T, E, M, F, Fut> Drive<'a, P, T, E, M, F, Fut> {
    /// Drops the attempts, and then gives back what was taken for them. Kept out of the way of a call that was over at once.
    #[inline(never)]
    fn let_go(self: Pin<&mut Self>) {
        let this = self.project();
        let_go(this.primary, this.rest);
    }

    /// Drops all that a call needed which was not over at once.
    #[inline(never)]
    fn drop_rest(self: Pin<&mut Self>) {
        let this = self.project();
        let rest = Emptied(this.rest);
        let_go(this.primary, rest.0);
    }
}

/// Lets go of everything if a poll unwinds, before whoever catches it can look.
struct Unwinding<'d, 'a, P: Report, T, E, M, F, Fut>(Pin<&'d mut Drive<'a, P, T, E, M, F, Fut>>);

impl<P: Report, T, E, M, F, Fut> Drop for Unwinding<'_, '_, P, T, E, M, F, Fut> {
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
        let polled = match unwinding.0.as_mut().step(cx) {
            ControlFlow::Break(value) => Poll::Ready(P::report(Ok(value), no_timeline)),
            ControlFlow::Continue(Poll::Pending) => Poll::Pending,
            ControlFlow::Continue(Poll::Ready(Some(value))) => {
                Poll::Ready(P::report(Ok(value), || match &mut **unwinding.0.as_mut().project().rest {
                    Some(Rest::Captured(recorder)) => recorder.take_timeline(),
                    _ => no_timeline(),
                }))
            }
            ControlFlow::Continue(Poll::Ready(None)) => {
                Poll::Ready(take_result(unwinding.0.as_mut().project().rest))
            }
        };
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
    /// Breaks with the value of a call that asks nobody and is over at once.
    #[inline(always)]
    fn step(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> ControlFlow<T, Polled<T>> {
        let this = self.as_mut().project();
        if !matches!(this.stage, Stage::Start) {
            return ControlFlow::Continue(self.poll_again(cx));
        }
        *this.stage = Stage::Over;
        // Before the loads of others' words, behind which the compiler takes nothing for known.
        let around = this.site.around();
        let first = this.site.first_plan();
        let entry = first.filter(|_| !P::CAPTURE).and_then(|plan| Some((plan, Glanced::at(plan)?)));
        if let Some((plan, entry)) = entry {
            return match self.first_attempt(plan, around, entry, cx) {
                Poll::Ready(Some(value)) => ControlFlow::Break(value),
                polled => ControlFlow::Continue(polled),
            };
        }
        ControlFlow::Continue(match first {
            Some(plan) if plan.start.needs_pass && !P::CAPTURE => self.pass(plan, around, cx),
            Some(plan) => self.begin(PlanRef::Kept(plan), None, around, cx),
            None => self.begin_anywhere(around, cx),
        })
    }

    /// Starts a call that has nobody to ask but a breaker of our own, or is timed.
    #[inline(never)]
    fn pass(self: Pin<&mut Self>, plan: &'a Plan, around: Nesting, cx: &mut Context<'_>) -> Polled<T> {
        match Pass::ask(self.site.shared, plan, circuit_stop) {
            Ok(pass) => self.first_attempt(plan, around, pass, cx),
            Err(NoPass::Refused(stop)) => self.turned_away(plan, stop),
            Err(NoPass::Unusual(admission)) => self.begin(PlanRef::Kept(plan), Some(admission), around, cx),
        }
    }

    /// A breaker of our own rejects the attempt. That is all there is to the call: nothing was launched, and nobody watches.
    #[inline(never)]
    fn turned_away(self: Pin<&mut Self>, plan: &Plan, stop: StopReason) -> Polled<T> {
        let refused = Error::refused(&plan.key, stop, E::as_error as fn(&E) -> &(dyn StdError + 'static));
        let done = Rest::Done(Some(P::report(Err(refused), no_timeline)));
        // A call at its start holds nothing that would have to be dropped.
        fill(self.project().rest, done);
        Poll::Ready(None)
    }

    /// Polls the first attempt of a call that holds no more than this. It can't be dropped meanwhile.
    #[inline(always)]
    fn first_attempt(
        mut self: Pin<&mut Self>,
        plan: &'a Plan,
        around: Nesting,
        entry: impl Entry,
        cx: &mut Context<'_>,
    ) -> Polled<T> {
        let mut this = self.as_mut().project();
        let nesting = plan.start.nesting.and(around);
        let polled = nesting.run(|| {
            this.primary.set(Some((this.operation)(plan.first_attempt(nesting))));
            poll_once(this.primary, cx)
        });
        if let Poll::Ready(Ok(value)) = polled {
            entry.succeeded(this.site);
            return Poll::Ready(Some(value));
        }
        fill(this.rest, Rest::over(Held::in_flight(this.site, PlanRef::Kept(plan), around, entry)));
        self.first_polled(polled, cx)
    }

    /// Polls a call that was polled before.
    #[inline(never)]
    fn poll_again(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled<T> {
        match self.stage {
            Stage::First => self.poll_first(cx),
            Stage::Over => polled_after_its_end(),
            _ => self.go_on(cx),
        }
    }

    /// Polls the attempt of a call that is still early.
    #[inline(always)]
    fn poll_first(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled<T> {
        let this = self.as_mut().project();
        let polled = driver(this.rest).engine.attempting(0, || poll_once(this.primary, cx));
        self.first_polled(polled, cx)
    }

    /// The attempt of a call that is still early was polled.
    #[inline(always)]
    fn first_polled(mut self: Pin<&mut Self>, polled: Poll<Result<T, E>>, cx: &mut Context<'_>) -> Polled<T> {
        let this = self.as_mut().project();
        let mut driver = driver(this.rest);
        match driver.take_early(polled) {
            ControlFlow::Break(Poll::Pending) => {
                *this.stage = Stage::First;
                Poll::Pending
            }
            ControlFlow::Break(Poll::Ready(value)) => {
                let captured = driver.engine.leave_recorder(P::CAPTURE);
                self.over_with(value, captured)
            }
            ControlFlow::Continue(polled) => self.decide_first(polled, cx),
        }
    }

    /// Starts a call that has more to do before its first attempt; `admission` is what its breaker has said already.
    #[inline(never)]
    fn begin(
        mut self: Pin<&mut Self>,
        plan: PlanRef<'a>,
        admission: Option<Admission>,
        around: Nesting,
        cx: &mut Context<'_>,
    ) -> Polled<T> {
        if !plan.start.is_early {
            self.as_mut().start_by(plan, around);
            return self.go_on(cx);
        }
        let mut this = self.as_mut().project();
        let mut held = Held::new(this.site, plan, true, around);
        let mut engine = held.engine();
        engine.start(P::CAPTURE);
        if !engine.first_permit(admission) {
            fill(this.rest, Rest::over(held));
            *this.stage = Stage::Between;
            return self.go_on(cx);
        }
        let attempt = engine.attempt(0);
        let polled = engine.attempting(0, || {
            this.primary.set(Some((this.operation)(attempt)));
            poll_once(this.primary, cx)
        });
        match polled {
            Poll::Ready(Ok(value)) if engine.succeeds_early() => {
                if let Some(recorder) = engine.leave_recorder(P::CAPTURE) {
                    fill(this.rest, Rest::Captured(recorder));
                }
                if held.is_empty() {
                    mem::forget(held);
                }
                Poll::Ready(Some(value))
            }
            polled => {
                fill(this.rest, Rest::over(held));
                self.first_polled(polled, cx)
            }
        }
    }

    /// Starts a call whose plan is not the first of its key, or not there.
    #[inline(never)]
    fn begin_anywhere(mut self: Pin<&mut Self>, around: Nesting, cx: &mut Context<'_>) -> Polled<T> {
        let this = self.as_mut().project();
        let unkept = match this.rest.take() {
            Some(Rest::Unkept(unkept)) => Some(unkept),
            _ => None,
        };
        if let Some(plan) = this.site.plan_now(unkept.as_deref()) {
            return self.begin(plan, None, around, cx);
        }
        // What runs round the call is what ran round its first poll.
        this.site.within = around;
        fill(this.rest, Rest::Planning(this.site.plan_later(unkept.as_deref())));
        *this.stage = Stage::Between;
        self.go_on(cx)
    }

    /// Starts a call that is late from its start, or whose plan came late.
    fn start_by(self: Pin<&mut Self>, plan: PlanRef<'a>, around: Nesting) {
        let this = self.project();
        let held = Held::new(this.site, plan, true, around);
        **this.rest = Some(Rest::over(held));
        driver(this.rest).engine.start(P::CAPTURE);
        *this.stage = Stage::Between;
    }

    /// The poll of the first attempt gave this, and that is not all there is to the call.
    #[inline(never)]
    fn decide_first(mut self: Pin<&mut Self>, polled: Poll<Result<T, E>>, cx: &mut Context<'_>) -> Polled<T> {
        let this = self.as_mut().project();
        *this.stage = Stage::Group;
        let (mut driver, running) = underway(this.rest);
        let mut hedges = Hedges::new(this.operation, running);
        if let Some(value) = ready!(driver.after_first(polled, this.primary, &mut hedges, cx)) {
            let captured = driver.engine.leave_recorder(P::CAPTURE);
            return self.over_with(value, captured);
        }
        *this.stage = Stage::Between;
        self.go_on(cx)
    }

    /// The call is over with this value.
    #[inline(always)]
    fn over_with(self: Pin<&mut Self>, value: T, captured: Option<Recorder>) -> Polled<T> {
        let this = self.project();
        *this.stage = Stage::Over;
        leave(this.rest, captured.map(Rest::Captured));
        Poll::Ready(Some(value))
    }

    /// Goes on from where the call stands.
    #[inline(never)]
    fn go_on(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled<T> {
        let mut this = self.as_mut().project();
        if let Some(Rest::Planning(later)) = &mut **this.rest {
            let (plan, around) = (ready!(later.as_mut().poll(cx)), this.site.within);
            self.as_mut().start_by(plan, around);
            this = self.as_mut().project();
        }
        let (mut driver, running) = underway(this.rest);
        if matches!(this.stage, Stage::Group) {
            let mut hedges = Hedges::new(this.operation, running);
            if let Some(value) = ready!(driver.poll_group(this.primary.as_mut(), &mut hedges, cx)) {
                let captured = driver.engine.leave_recorder(P::CAPTURE);
                return self.over_with(value, captured);
            }
            *this.stage = Stage::Between;
        }
        while ready!(driver.poll_between(cx)) {
            *this.stage = Stage::Group;
            let attempt = driver.engine.attempt(0);
            let polled = driver.engine.launching(0, attempt, || {
                this.primary.set(Some((this.operation)(attempt)));
                poll_once(this.primary.as_mut(), cx)
            });
            let mut hedges = Hedges::new(this.operation, running);
            if let Some(value) = ready!(driver.after_first(polled, this.primary.as_mut(), &mut hedges, cx)) {
                let captured = driver.engine.leave_recorder(P::CAPTURE);
                return self.over_with(value, captured);
            }
            *this.stage = Stage::Between;
        }
        *this.stage = Stage::Over;
        let result = driver.finish::<P>();
        leave(this.rest, Some(Rest::Done(Some(result))));
        Poll::Ready(None)
    }
}
