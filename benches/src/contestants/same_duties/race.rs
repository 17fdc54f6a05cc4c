//! [`Polling`]: one poll of a call whose attempts may race hedges.

use super::around::Around;
use super::elapsed::NEVER;
use super::gate::{Gate, Pass};
use super::group::{Flight, Group, Hedge, Rank, Rest};
use super::hedging::Hedging;
use super::limit::Limit;
use super::places::poll_once;
use super::policy::{Policy, nanos};
use super::purse::{Ask, Purse};
use recourse::{
    Attempt, AttemptKind, AttemptResult, Failure, Health, HedgeState, Moment, Now, OutcomeKind, StopReason,
    reason,
};
use std::future::Future;
use std::marker::PhantomData;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// How the poll of a group ended.
pub(super) enum Race<T> {
    Pending,
    Won(T),
    /// Every attempt has failed.
    Lost,
}

/// A poll of a call that was not over at once.
pub(super) struct Polling<'p, 'a, E, M, F, Fut, G: Gate, P: Purse, L> {
    pub(super) policy: &'a Policy<G, P, L>,
    pub(super) hedging: &'a Hedging<P>,
    pub(super) operation: &'p mut F,
    pub(super) primary: Pin<&'p mut Option<Fut>>,
    pub(super) rest: &'p mut Rest<'a, E, Fut, G::Pass<'a>, P::Permit>,
    /// The present moment, if it was read in this poll.
    pub(super) now: Option<Moment>,
    pub(super) marker: PhantomData<fn() -> M>,
}

impl<T, E, M, F, Fut, G, P, L> Polling<'_, '_, E, M, F, Fut, G, P, L>
where
    F: FnMut(Attempt) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    E: Failure<M>,
    G: Gate,
    P: Purse,
    L: Limit,
{
    #[inline(always)]
    fn now(&mut self) -> Moment {
        *self.now.get_or_insert_with(|| self.rest.elapsed.now(&*self.policy.clock))
    }

    #[inline(always)]
    fn inside(&self) -> Around {
        self.rest.around.attempt(self.rest.index + 1 < self.policy.max_attempts)
    }

    /// One poll of a group: results first, then time.
    #[inline(always)]
    pub(super) fn race(&mut self, polled: Option<Poll<Result<T, E>>>, cx: &mut Context<'_>) -> Race<T> {
        let inside = self.inside();
        if self.primary.is_some() || polled.is_some() {
            let polled = polled.unwrap_or_else(|| inside.run(|| poll_once(self.primary.as_mut(), cx)));
            match polled {
                Poll::Pending if !mem::replace(&mut self.rest.group.primary.pended, true) => {
                    let now = self.pended();
                    self.rest.group.started = now;
                    self.rest.group.primary.cut_at = self.cut_at(now);
                    if self.rest.group.may_hedge {
                        self.advise(true);
                    }
                }
                Poll::Pending => {}
                Poll::Ready(Ok(value)) => {
                    self.rest.group.primary.vote(Health::Up);
                    return Race::Won(value);
                }
                Poll::Ready(Err(error)) => self.failed(0, Some(error)),
            }
        }
        let mut next = 0;
        loop {
            while let Some(hedge) = self.rest.group.hedges.get_mut(next) {
                match inside.run(|| hedge.future.as_mut().poll(cx)) {
                    Poll::Pending => {
                        if !mem::replace(&mut hedge.flight.pended, true) {
                            let now = self.pended();
                            self.rest.group.hedges[next].flight.cut_at = self.cut_at(now);
                        }
                        next += 1;
                    }
                    Poll::Ready(Ok(value)) => {
                        hedge.flight.vote(Health::Up);
                        return Race::Won(value);
                    }
                    Poll::Ready(Err(error)) => self.failed(next + 1, Some(error)),
                }
            }
            if self.primary.is_none() && self.rest.group.hedges.is_empty() {
                return Race::Lost;
            }
            let Some(now) = self.due(cx) else { return Race::Pending };
            if self.rest.group.primary.cut_at <= now {
                inside.run(|| self.primary.set(None));
                self.failed(0, None);
            } else if let Some(at) =
                self.rest.group.hedges.iter().position(|hedge| hedge.flight.cut_at <= now)
            {
                self.failed(at + 1, None);
                next = next.min(self.rest.group.hedges.len());
            } else {
                self.advise(false);
            }
        }
    }

    /// An attempt had to wait for the first time.
    #[inline(always)]
    fn pended(&mut self) -> Moment {
        let now = self.now();
        self.rest.elapsed.waits_since(now);
        now
    }

    #[inline(always)]
    fn cut_at(&self, now: Moment) -> Moment {
        self.policy.limit.time().map_or(NEVER, |limit| now + limit)
    }

    /// The moment that has come, if anything is due.
    #[inline(always)]
    fn due(&mut self, cx: &mut Context<'_>) -> Option<Moment> {
        loop {
            let cuts = self.rest.group.hedges.iter().map(|hedge| hedge.flight.cut_at);
            let due = cuts.fold(self.rest.group.primary.cut_at.min(self.rest.group.check), Moment::min);
            if due == NEVER {
                return None;
            }
            if self.rest.armed > due {
                let now = self.now();
                if now >= due {
                    return Some(now);
                }
                let (sleeper, clock) = (&*self.policy.sleeper, &*self.policy.clock);
                self.rest.timer.arm(sleeper, due.since(now), clock.instant(due));
                self.rest.armed = due;
            }
            if self.rest.timer.poll(cx).is_pending() {
                return None;
            }
            let come = mem::replace(&mut self.rest.armed, NEVER);
            self.rest.elapsed.came(come);
            self.now = None;
            let now = self.now();
            if now >= due {
                return Some(now);
            }
        }
    }

    /// Asks the trigger, and launches the hedge that it wants.
    #[inline(always)]
    fn advise(&mut self, first_look: bool) {
        let now = self.now();
        let (hedging, policy, rest) = (self.hedging, self.policy, &mut *self.rest);
        let group = &mut rest.group;
        let state = HedgeState::new(group.started, now, group.used, hedging.most, hedging.delay)
            .with_call_started(rest.elapsed.started())
            .with_failed(group.failed)
            .with_key_fingerprint(policy.key.fingerprint())
            .with_first_look(first_look);
        let decision = hedging.trigger.should_spawn_hedge(&state);
        group.check = decision.next_check_in.map_or(NEVER, |wait| now + wait.max(Duration::from_millis(1)));
        let spawns = decision.spawn && group.used <= hedging.most;
        group.used += u32::from(spawns);
        if group.used > hedging.most {
            group.check = NEVER;
        }
        if spawns {
            self.launch_hedge(now);
        }
    }

    /// Launches a hedge, if breaker and budget let it. A hedge that they don't let ends nothing.
    #[inline(never)]
    fn launch_hedge(&mut self, now: Moment) {
        let (policy, index) = (self.policy, self.rest.index);
        let slot = self.rest.group.used - 1;
        let Ok(pass) = policy.gate.admit(AttemptKind::Hedge, &*policy.clock) else { return };
        let ask = Ask { key: &policy.key, index, kind: AttemptKind::Hedge, now, after_timeout: false };
        let permit = match self.hedging.purse.allow(&ask) {
            Ok(permit) => permit,
            Err(stop) => {
                pass.vote(Health::None);
                if stop == StopReason::BudgetNotFound {
                    self.rest.group.check = NEVER;
                }
                return;
            }
        };
        let inside = self.inside();
        let future = inside.run(|| Box::pin((self.operation)(policy.attempt(index, slot, inside))));
        self.rest.launched += 1;
        self.rest.group.hedges.push(Hedge { future, flight: Flight::new(pass, Some(permit)), slot });
    }

    /// An attempt has failed, or has run out of its time: the primary, or the hedge before this place.
    #[inline(always)]
    fn failed(&mut self, place: usize, error: Option<E>) {
        let result = match &error {
            Some(error) => AttemptResult::of_error::<M, E>(error),
            None => AttemptResult::of_timeout(),
        };
        let outcome = self.policy.judge(&result.with_idempotent(None));
        let group = &mut self.rest.group;
        let slot = match place {
            0 => {
                group.primary.vote(outcome.health);
                group.primary.cut_at = NEVER;
                0
            }
            hedge => {
                let mut hedge = group.hedges.remove(hedge - 1);
                hedge.flight.vote(outcome.health);
                hedge.slot
            }
        };
        let rank = Rank { group: self.rest.index, kind: outcome.kind, slot };
        group.failed += 1;
        group.server = group.server.max(outcome.backoff.map_or(0, nanos));
        if group.worst.is_none_or(|worst| !worst.outranks(rank)) {
            group.worst = Some(rank);
            self.rest.timed_out = error.is_none() || outcome.reason == reason::CONTEXT_DEADLINE_EXCEEDED;
            self.rest.said = outcome.reason;
        }
        if let Some(error) = error
            && self.rest.last.as_ref().is_none_or(|(before, _)| !before.outranks(rank))
        {
            self.rest.last = Some((rank, error));
        }
    }

    /// Every attempt of the group has failed: what follows is a wait, or the end.
    #[inline(always)]
    pub(super) fn settle(&mut self) -> Result<(), StopReason> {
        let (policy, rest) = (self.policy, &mut *self.rest);
        let kind = rest.group.worst.map_or(OutcomeKind::Abort, |worst| worst.kind);
        let wait = policy.wait(rest.index, kind, rest.group.server)?;
        rest.index += 1;
        if let Some(stop) = policy.gate.peek(&Now::of(&*policy.clock), wait) {
            return Err(stop);
        }
        if P::PAYS
            && let Some(stop) = policy.purse.peek(&self.ask())
        {
            return Err(stop);
        }
        if wait > 0 {
            self.rest.timer.arm(&*policy.sleeper, Duration::from_nanos(wait), None);
        }
        (self.rest.wait, self.rest.armed) = (Some(wait), NEVER);
        Ok(())
    }

    #[inline(always)]
    fn ask(&mut self) -> Ask<'_> {
        let now = self.now();
        let rest = &*self.rest;
        let (index, after_timeout) = (rest.index, rest.timed_out);
        Ask { key: &self.policy.key, index, kind: AttemptKind::Retry, now, after_timeout }
    }

    /// Waits for the next group, and polls its primary for the first time.
    #[inline(always)]
    pub(super) fn wait(
        &mut self,
        wait: u64,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Poll<Fut::Output>, StopReason>> {
        if wait > 0 {
            if self.rest.timer.poll(cx).is_pending() {
                self.rest.elapsed.waits(&*self.policy.clock, false);
                return Poll::Pending;
            }
            self.rest.elapsed.waited(wait);
            self.now = self.now.map(|_| self.rest.elapsed.floor());
        }
        self.rest.wait = None;
        Poll::Ready(self.launch(cx))
    }

    #[inline(always)]
    fn launch(&mut self, cx: &mut Context<'_>) -> Result<Poll<Fut::Output>, StopReason> {
        let policy = self.policy;
        let pass = policy.gate.admit(AttemptKind::Retry, &*policy.clock)?;
        let mut permit = None;
        if P::PAYS {
            match policy.purse.allow(&self.ask()) {
                Ok(allowed) => permit = Some(allowed),
                Err(stop) => {
                    pass.vote(Health::None);
                    return Err(stop);
                }
            }
        }
        self.rest.group = Group::new(pass, permit);
        self.rest.launched += 1;
        let inside = self.inside();
        let attempt = policy.attempt(self.rest.index, 0, inside);
        Ok(inside.run(|| {
            self.primary.set(Some((self.operation)(attempt)));
            poll_once(self.primary.as_mut(), cx)
        }))
    }
}
