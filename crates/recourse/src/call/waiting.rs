//! How an [`Engine`] waits: between groups, and beside attempts in flight.

use crate::call::decide::{Event, NEVER};
use crate::call::engine::Engine;
use crate::fence::PanicError;
use recourse_core::{Component, HedgeDecision, HedgeState, Moment};
use std::task::{Context, Poll};
use std::time::Duration;

impl Engine<'_> {
    pub(super) fn draw(&mut self, server: Option<Duration>) {
        let now = self.plan.rules.overall_timeout.is_some().then(|| self.now());
        let wait = server
            .unwrap_or_else(|| self.plan.backoff.wait(self.group(), self.before, self.shared.random.draw()));
        self.on(Event::Drawn { wait, now });
    }

    /// Starts the wait before the next group; false where there is nothing to wait for.
    pub(super) fn start_wait(&mut self, wait: Duration) -> bool {
        if wait.is_zero() {
            self.waited(wait);
            return false;
        }
        // Nothing else is due during a wait, and its end is what the sleeper says.
        match self.arm(Moment::ZERO, wait) {
            Ok(()) => true,
            Err(panic) => {
                self.broken(panic);
                false
            }
        }
    }

    pub(super) fn poll_wait(&mut self, wait: Duration, cx: &mut Context<'_>) -> Poll<()> {
        self.moment = NEVER;
        match self.poll_timer(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(_)) => self.waited(wait),
            Poll::Ready(Err(panic)) => self.broken(panic),
        }
        Poll::Ready(())
    }

    fn arm(&mut self, due: Moment, wait: Duration) -> Result<(), PanicError> {
        self.running = Some((Component::Sleeper, 0));
        let armed = self.timer.arm(&*self.shared.sleeper, due, wait, &self.shared.fence);
        self.running = None;
        armed
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<Result<Moment, PanicError>> {
        self.running = Some((Component::Sleeper, 0));
        let polled = self.timer.poll(cx, &self.shared.fence);
        self.running = None;
        polled
    }

    fn waited(&mut self, wait: Duration) {
        self.floor = self.floor + wait;
        self.before = wait;
        self.on(Event::Waited);
    }

    /// An attempt had to wait.
    pub(crate) fn pended(&mut self, slot: usize) {
        if std::mem::replace(&mut self.open.at(slot).pended, true) {
            return;
        }
        if self.started == NEVER || self.progress.wants_time(&self.plan.rules) {
            let now = self.now();
            self.started = self.started.min(now);
            if slot == 0 && self.plan.latency.is_none() {
                self.group_started = now;
            }
            self.on(Event::Pended { slot, now });
        }
    }

    /// Asks the hedge trigger.
    pub(crate) fn advise(&mut self) {
        let now = self.now();
        let asked = self.plugin(Component::Trigger, |engine| {
            let plan = &*engine.plan;
            let trigger = plan.trigger.as_ref()?;
            let used = engine.progress.used();
            let state = HedgeState::new(
                engine.group_started,
                now,
                used,
                plan.rules.max_hedges,
                plan.rules.hedge_delay,
            )
            .with_call_started(engine.started.min(now))
            .with_latency(plan.latency.as_ref().and_then(|latency| latency.snapshot(now)));
            Some(trigger.should_spawn_hedge(&state))
        });
        let decision = asked.ok().flatten().unwrap_or(HedgeDecision::never());
        self.on(Event::Advised { now, decision });
    }

    /// Waits for whatever is due next; ready when there is something to do.
    pub(crate) fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let Some(due) = self.progress.next_due() else {
                return Poll::Pending;
            };
            if !self.timer.covers(due) {
                let now = self.now();
                if now >= due {
                    self.on(Event::Due { now });
                    return Poll::Ready(());
                }
                if let Err(panic) = self.arm(due, due.since(now)) {
                    self.broken(panic);
                    return Poll::Ready(());
                }
            }
            match self.poll_timer(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(panic)) => {
                    self.broken(panic);
                    return Poll::Ready(());
                }
                Poll::Ready(Ok(come)) => {
                    self.moment = NEVER;
                    self.floor = self.floor.max(come);
                    let now = self.now();
                    if now >= due {
                        self.on(Event::Due { now });
                        return Poll::Ready(());
                    }
                }
            }
        }
    }
}
