//! [`Hedged`]: a call whose attempts may race hedges, with what of breaker, budget and time limit the row has.

use super::around::Around;
use super::elapsed::{Elapsed, NEVER};
use super::end::{Ended, end};
use super::gate::{Gate, Pass};
use super::group::{Group, Rest};
use super::hedging::Hedging;
use super::limit::Limit;
use super::places::{Emptied, poll_once};
use super::policy::Policy;
use super::purse::Purse;
use super::race::{Polling, Race};
use super::timer::CallTimer;
use pin_project_lite::pin_project;
use recourse::{Attempt, AttemptKind, Failure, Health, Label};
use std::future::Future;
use std::marker::PhantomData;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

pin_project! {
    /// Makes groups of attempts until one succeeds or none may follow.
    pub(super) struct Hedged<'a, E, M, F, Fut, G: Gate, P: Purse, L> {
        policy: &'a Policy<G, P, L>,
        hedging: &'a Hedging<P>,
        operation: F,
        is_new: bool,
        #[pin]
        primary: Option<Fut>,
        rest: Option<Rest<'a, E, Fut, G::Pass<'a>, P::Permit>>,
        marker: PhantomData<fn() -> M>,
    }
}

/// A call at its start.
pub(super) fn hedged<'a, E, M, F, Fut, G: Gate, P: Purse, L>(
    policy: &'a Policy<G, P, L>,
    hedging: &'a Hedging<P>,
    operation: F,
) -> Hedged<'a, E, M, F, Fut, G, P, L> {
    Hedged { policy, hedging, operation, is_new: true, primary: None, rest: None, marker: PhantomData }
}

impl<'a, T, E, M, F, Fut, G, P, L> Future for Hedged<'a, E, M, F, Fut, G, P, L>
where
    F: FnMut(Attempt) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    E: Failure<M>,
    G: Gate,
    P: Purse,
    L: Limit,
{
    type Output = Result<T, Ended<E>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.as_mut().project();
        if !mem::take(this.is_new) {
            return self.go_on(None, cx);
        }
        let policy = *this.policy;
        let pass = match policy.gate.admit(AttemptKind::Retry, &*policy.clock) {
            Ok(pass) => pass,
            Err(stop) => return Poll::Ready(Err(end(policy, stop, 0, Duration::ZERO, Label::EMPTY, None))),
        };
        let around = Around::here();
        let inside = around.attempt(policy.max_attempts > 1);
        let attempt = policy.attempt(0, 0, inside);
        let polled = inside.run(|| {
            this.primary.set(Some((this.operation)(attempt)));
            poll_once(this.primary, cx)
        });
        if let Poll::Ready(Ok(value)) = polled {
            pass.vote(Health::Up);
            return Poll::Ready(Ok(value));
        }
        *this.rest = Some(Rest {
            around,
            index: 0,
            launched: 1,
            elapsed: Elapsed::new(),
            timer: CallTimer::None,
            armed: NEVER,
            group: Group::new(pass, None),
            wait: None,
            last: None,
            said: Label::EMPTY,
            timed_out: false,
        });
        self.go_on(Some(polled), cx)
    }
}

impl<'a, T, E, M, F, Fut, G, P, L> Hedged<'a, E, M, F, Fut, G, P, L>
where
    F: FnMut(Attempt) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    E: Failure<M>,
    G: Gate,
    P: Purse,
    L: Limit,
{
    /// Goes on; `polled` is what the primary's poll gave, if it was polled just now.
    #[inline(never)]
    fn go_on(
        self: Pin<&mut Self>,
        mut polled: Option<Poll<Result<T, E>>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, Ended<E>>> {
        let mut this = self.project();
        let unwinding = Emptied(this.rest);
        let Some(rest) = &mut *unwinding.0 else { panic!("a call was polled after its end") };
        let mut poll = Polling {
            policy: this.policy,
            hedging: this.hedging,
            operation: this.operation,
            primary: this.primary.as_mut(),
            rest,
            now: None,
            marker: PhantomData,
        };
        let stop = loop {
            if let Some(wait) = poll.rest.wait {
                match poll.wait(wait, cx) {
                    Poll::Pending => {
                        mem::forget(unwinding);
                        return Poll::Pending;
                    }
                    Poll::Ready(Err(stop)) => break stop,
                    Poll::Ready(Ok(first)) => polled = Some(first),
                }
            }
            match poll.race(polled.take(), cx) {
                Race::Pending => {
                    mem::forget(unwinding);
                    return Poll::Pending;
                }
                Race::Won(value) => {
                    poll.primary.set(None);
                    return Poll::Ready(Ok(value));
                }
                Race::Lost => {}
            }
            if let Err(stop) = poll.settle() {
                break stop;
            }
        };
        let Polling { policy, rest, .. } = poll;
        let took = rest.elapsed.total(&*policy.clock);
        let (said, inner) = (mem::take(&mut rest.said), rest.last.take().map(|(_, error)| error));
        Poll::Ready(Err(end(policy, stop, rest.launched, took, said, inner)))
    }
}
