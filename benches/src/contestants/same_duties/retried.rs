//! [`Retried`]: a call whose attempts follow each other, with what of breaker, budget and time limit the row has.

use super::around::Around;
use super::elapsed::Elapsed;
use super::end::{Ended, end};
use super::gate::{Gate, Pass};
use super::limit::Limit;
use super::places::{Emptied, keep, poll_once};
use super::policy::{Policy, nanos};
use super::purse::{Ask, Purse};
use super::timer::CallTimer;
use pin_project_lite::pin_project;
use recourse::{Attempt, AttemptKind, AttemptResult, Failure, Health, Label, Moment, Now, reason};
use std::future::Future;
use std::marker::PhantomData;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

pin_project! {
    /// Makes attempts until one succeeds or none may follow.
    pub(super) struct Retried<'a, E, M, F, Fut, G: Gate, P: Purse, L> {
        policy: &'a Policy<G, P, L>,
        operation: F,
        stage: Stage,
        #[pin]
        running: Option<Fut>,
        rest: Option<Rest<'a, E, G::Pass<'a>, P::Permit>>,
        marker: PhantomData<fn() -> M>,
    }
}

/// Where a call stands between two polls.
#[derive(Clone, Copy)]
enum Stage {
    Start,
    Attempt,
    Wait,
    Over,
}

/// What a call keeps that was not over at once. While it is polled, it stands in the poll's own variables.
struct Rest<'a, E, A, R> {
    around: Around,
    index: u32,
    /// What the attempt in flight was admitted with.
    pass: Option<A>,
    permit: R,
    elapsed: Elapsed,
    timer: CallTimer<'a>,
    /// When the attempt in flight runs out of its time, if it had to wait and has a limit.
    due: Moment,
    /// The wait before the next attempt, in nanoseconds.
    wait: u64,
    last: Option<E>,
    /// What the classifier said of the last attempt that has ended.
    said: Label,
    timed_out: bool,
}

/// Where a poll goes on.
enum At<T, E> {
    /// The attempt's poll gave this.
    Polled(Poll<Result<T, E>>),
    /// The attempt's time is over.
    Late,
    /// The next attempt is waited for.
    Waiting,
}

/// A call at its start.
pub(super) fn retried<'a, E, M, F, Fut, G: Gate, P: Purse, L>(
    policy: &'a Policy<G, P, L>,
    operation: F,
) -> Retried<'a, E, M, F, Fut, G, P, L> {
    Retried { policy, operation, stage: Stage::Start, running: None, rest: None, marker: PhantomData }
}

impl<'a, T, E, M, F, Fut, G, P, L> Future for Retried<'a, E, M, F, Fut, G, P, L>
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
        if !matches!(this.stage, Stage::Start) {
            return self.poll_again(cx);
        }
        *this.stage = Stage::Over;
        let policy = *this.policy;
        let pass = match policy.gate.admit(AttemptKind::Retry, &*policy.clock) {
            Ok(pass) => pass,
            Err(stop) => return Poll::Ready(Err(end(policy, stop, 0, Duration::ZERO, Label::EMPTY, None))),
        };
        let around = Around::here();
        let inside = around.attempt(policy.max_attempts > 1);
        let attempt = policy.attempt(0, 0, inside);
        let polled = inside.run(|| {
            this.running.set(Some((this.operation)(attempt)));
            poll_once(this.running, cx)
        });
        if let Poll::Ready(Ok(value)) = polled {
            pass.vote(Health::Up);
            return Poll::Ready(Ok(value));
        }
        let rest = Rest {
            around,
            index: 0,
            pass: Some(pass),
            permit: P::first(),
            elapsed: Elapsed::new(),
            timer: CallTimer::None,
            due: Moment::ZERO,
            wait: 0,
            last: None,
            said: Label::EMPTY,
            timed_out: false,
        };
        self.go_on(rest, At::Polled(polled), cx)
    }
}

impl<'a, T, E, M, F, Fut, G, P, L> Retried<'a, E, M, F, Fut, G, P, L>
where
    F: FnMut(Attempt) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    E: Failure<M>,
    G: Gate,
    P: Purse,
    L: Limit,
{
    /// Polls a call that had to wait. Where it has to wait again, or is over with a value, nothing is moved.
    #[inline(never)]
    fn poll_again(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, Ended<E>>> {
        let mut this = self.as_mut().project();
        let unwinding = Emptied(this.rest);
        let Some(rest) = unwinding.0 else { panic!("a call was polled after its end") };
        let mut at = At::Waiting;
        if let Stage::Attempt = this.stage {
            let inside = rest.around.attempt(rest.index + 1 < this.policy.max_attempts);
            let polled = inside.run(|| poll_once(this.running.as_mut(), cx));
            match polled {
                Poll::Pending if !L::LIMITS || rest.timer.poll(cx).is_pending() => {
                    mem::forget(unwinding);
                    return Poll::Pending;
                }
                Poll::Pending => at = At::Late,
                Poll::Ready(Ok(value)) => {
                    if let Some(pass) = rest.pass.take() {
                        pass.vote(Health::Up);
                    }
                    return Poll::Ready(Ok(value));
                }
                polled => at = At::Polled(polled),
            }
        }
        let Some(rest) = unwinding.0.take() else { unreachable!("it was there just now") };
        mem::forget(unwinding);
        self.go_on(rest, at, cx)
    }

    #[inline(always)]
    fn go_on(
        self: Pin<&mut Self>,
        mut rest: Rest<'a, E, G::Pass<'a>, P::Permit>,
        mut at: At<T, E>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, Ended<E>>> {
        let mut this = self.project();
        let policy = *this.policy;
        let clock = &*policy.clock;
        let mut now = None;
        let stop = loop {
            if !matches!(at, At::Waiting) {
                let result = match at {
                    At::Polled(Poll::Pending) => {
                        let limit = policy.limit.time();
                        let now = rest.elapsed.waits(clock, L::LIMITS);
                        if let Some(limit) = limit {
                            let due = now + limit;
                            rest.due = due;
                            rest.timer.arm(&*policy.sleeper, limit, clock.instant(due));
                        }
                        if limit.is_none() || rest.timer.poll(cx).is_pending() {
                            *this.stage = Stage::Attempt;
                            keep(this.rest, rest);
                            return Poll::Pending;
                        }
                        None
                    }
                    At::Polled(Poll::Ready(result)) => Some(result),
                    _ => None,
                };
                let outcome = match result {
                    Some(Ok(value)) => {
                        if let Some(pass) = rest.pass.take() {
                            pass.vote(Health::Up);
                        }
                        return Poll::Ready(Ok(value));
                    }
                    Some(Err(error)) => {
                        let error = rest.last.insert(error);
                        rest.timed_out = false;
                        policy.judge(&AttemptResult::of_error::<M, E>(error).with_idempotent(None))
                    }
                    None => {
                        rest.elapsed.came(rest.due);
                        let inside = rest.around.attempt(rest.index + 1 < policy.max_attempts);
                        inside.run(|| this.running.set(None));
                        rest.timed_out = true;
                        policy.judge(&AttemptResult::of_timeout().with_idempotent(None))
                    }
                };
                if let Some(pass) = rest.pass.take() {
                    pass.vote(outcome.health);
                }
                rest.permit = P::first();
                let wait = policy.wait(rest.index, outcome.kind, outcome.backoff.map_or(0, nanos));
                rest.said = outcome.reason;
                rest.wait = match wait {
                    Ok(wait) => wait,
                    Err(stop) => {
                        rest.index += 1;
                        break stop;
                    }
                };
                rest.index += 1;
                rest.timed_out |= P::PAYS && rest.said == reason::CONTEXT_DEADLINE_EXCEEDED;
                if let Some(stop) = policy.gate.peek(&Now::of(clock), rest.wait) {
                    break stop;
                }
                if P::PAYS {
                    let moment = *now.get_or_insert_with(|| rest.elapsed.now(clock));
                    if let Some(stop) = policy.purse.peek(&ask(policy, &rest, moment)) {
                        break stop;
                    }
                }
                if rest.wait > 0 {
                    rest.timer.arm(&*policy.sleeper, Duration::from_nanos(rest.wait), None);
                }
            }
            if rest.wait > 0 {
                if rest.timer.poll(cx).is_pending() {
                    rest.elapsed.waits(clock, false);
                    *this.stage = Stage::Wait;
                    keep(this.rest, rest);
                    return Poll::Pending;
                }
                rest.elapsed.waited(rest.wait);
                now = now.map(|_| rest.elapsed.floor());
            }
            rest.pass = match policy.gate.admit(AttemptKind::Retry, clock) {
                Ok(pass) => Some(pass),
                Err(stop) => break stop,
            };
            if P::PAYS {
                let moment = *now.get_or_insert_with(|| rest.elapsed.now(clock));
                match policy.purse.allow(&ask(policy, &rest, moment)) {
                    Ok(permit) => rest.permit = permit,
                    Err(stop) => {
                        if let Some(pass) = rest.pass.take() {
                            pass.vote(Health::None);
                        }
                        break stop;
                    }
                }
            }
            let inside = rest.around.attempt(rest.index + 1 < policy.max_attempts);
            let attempt = policy.attempt(rest.index, 0, inside);
            at = At::Polled(inside.run(|| {
                this.running.set(Some((this.operation)(attempt)));
                poll_once(this.running.as_mut(), cx)
            }));
        };
        let took = rest.elapsed.total(clock);
        Poll::Ready(Err(end(policy, stop, rest.index, took, rest.said, rest.last)))
    }
}

/// What the budget sees of a retry.
#[inline(always)]
fn ask<'p, E, G, P, L, A, R>(policy: &'p Policy<G, P, L>, rest: &Rest<'_, E, A, R>, now: Moment) -> Ask<'p> {
    let (index, after_timeout) = (rest.index, rest.timed_out);
    Ask { key: &policy.key, index, kind: AttemptKind::Retry, now, after_timeout }
}
