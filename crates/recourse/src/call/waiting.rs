//! How an [`Engine`] waits: between groups, and beside attempts in flight.

use crate::call::decide::{Event, NEVER, Step, later};
use crate::call::engine::Engine;
use crate::fence::PanicError;
use recourse_core::{Component, HedgeDecision, HedgeState, Moment};
use std::mem;
use std::task::{Context, Poll, ready};
use std::time::Duration;

impl Engine<'_, '_> {
    /// Between two groups, and before the first: waits, if there is anything to wait for, and asks for the next primary.
    /// Ready with true where it is launched, and with false where no more is to be launched.
    #[inline(never)]
    pub(crate) fn poll_between(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let mut engine = self.again();
        let asks = engine.is_early() || matches!(ready!(engine.poll_wait(cx)), Step::Ask { .. });
        Poll::Ready(asks && engine.permit(0))
    }

    #[inline(always)]
    fn draw(&mut self) -> u64 {
        let shared = self.shared;
        let backoff = self.plan.backoff();
        let late = self.late();
        match late.progress.server_delay() {
            Some(asked_for) => asked_for,
            None => backoff.wait(late.progress.group(), late.before, || shared.random.draw()),
        }
    }

    /// Ready with the next step when the wait before the next group is over, or none comes.
    #[inline(always)]
    fn poll_wait(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        let rules = &self.plan.rules;
        let mut step = self.step();
        if step == Step::Draw {
            let now = if rules.overall_timeout.is_some() { Some(self.now()) } else { None };
            let wait = self.draw();
            step = self.late().progress.on(rules, Event::Drawn { wait, now });
            if let Step::Peek { wait } = step {
                let refusal =
                    if self.plan.peeks { self.again().peek(Duration::from_nanos(wait)) } else { None };
                step = self.late().progress.on(rules, Event::Peeked { wait, refusal });
            }
            self.late().step = step;
            match step {
                Step::Wait { wait: 0 } => {
                    self.waited(0);
                    return Poll::Ready(self.step());
                }
                // Nothing else is due during a wait, and its end is what the sleeper says.
                Step::Wait { wait } => {
                    if let Err(panic) = self.arm(Moment::ZERO, Duration::from_nanos(wait)) {
                        self.again().broken(panic);
                        return Poll::Ready(self.step());
                    }
                }
                _ => return Poll::Ready(step),
            }
        }
        let Step::Wait { wait } = step else {
            return Poll::Ready(step);
        };
        match self.poll_timer(cx) {
            Poll::Pending => {
                self.again().first_wait();
                // A call whose clock has broken, just now or before, is over and waits for nothing.
                if !self.shared.clock_trusted && self.again().clock_broke() {
                    return Poll::Ready(self.step());
                }
                self.pause();
                return Poll::Pending;
            }
            Poll::Ready(Ok(_)) => self.waited(wait),
            Poll::Ready(Err(panic)) => self.again().broken(panic),
        }
        Poll::Ready(self.step())
    }

    /// The call has to wait: from the first time on its duration counts.
    #[inline(always)]
    fn first_wait(&mut self) {
        if self.state.started == NEVER {
            let now = self.now();
            // What a clock that panicked shows is no start.
            if self.foreign_clock().is_none_or(|clock| clock.panicked().is_none()) {
                self.state.started = now;
            }
        }
    }

    #[inline(always)]
    fn arm(&mut self, due: Moment, wait: Duration) -> Result<(), PanicError> {
        let shared = self.shared;
        let until = match self.state.is_fresh && shared.clock_trusted {
            true => shared.clock.instant(self.state.floor + wait),
            false => None,
        };
        self.state.running = Some((Component::Sleeper, 0));
        let armed = self.late().timer.arm(&*shared.sleeper, due, wait, until, &shared.fence);
        self.state.running = None;
        armed
    }

    #[inline(always)]
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<Result<Moment, PanicError>> {
        let fence = &self.shared.fence;
        self.state.running = Some((Component::Sleeper, 0));
        let polled = self.late().timer.poll(cx, fence);
        self.state.running = None;
        polled
    }

    #[inline(always)]
    fn waited(&mut self, wait: u64) {
        // The sleeper is believed, whatever the clock shows.
        self.state.floor = later(self.state.floor, wait);
        self.state.group_started = NEVER;
        let never_waited = self.state.started == NEVER;
        let late = self.late();
        if never_waited {
            late.slept = late.slept.saturating_add(wait);
        }
        (late.before, late.looked) = (wait, false);
        let has_deadline = late.progress.deadline().is_some();
        let now = has_deadline.then(|| self.now());
        self.on(Event::Waited { now });
    }

    /// An attempt had to wait.
    #[inline]
    pub(crate) fn pended(&mut self, slot: usize) {
        if !mem::replace(&mut self.open(slot).pended, true) {
            self.pended_first(slot);
        }
    }

    /// The group's primary is pending: so is the call, where nothing is to be done meanwhile.
    #[inline(never)]
    pub(crate) fn primary_pended(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut engine = self.again();
        engine.pended(0);
        if engine.step() == Step::Advise {
            engine.again().advise();
        }
        match engine.awaits_primary() {
            true => engine.poll_due_in(cx),
            false => Poll::Ready(()),
        }
    }

    /// Whether the group's primary is in flight, alone, and nothing else is to be done.
    #[inline]
    pub(crate) fn awaits_primary(&mut self) -> bool {
        self.step() == Step::Poll && self.live() == 1
    }

    #[inline(always)]
    fn pended_first(&mut self, slot: usize) {
        self.first_wait();
        let rules = &self.plan.rules;
        if self.late().progress.wants_time(rules) {
            let now = self.now();
            if slot == 0 && self.plan.latency.is_none() {
                self.state.group_started = now;
            }
            self.on(Event::Pended { slot, now });
        }
    }

    /// Asks the hedge trigger.
    pub(crate) fn advise(&mut self) {
        let (plan, now) = (self.plan, self.now());
        let (left, call_started) = (self.left_of_call(), self.state.started);
        if self.state.group_started == NEVER {
            self.state.group_started = now;
        }
        let group_started = self.state.group_started;
        let first_look = !mem::replace(&mut self.late().looked, true);
        let late = self.late();
        let mut state = HedgeState::new(
            group_started,
            now,
            late.progress.used(),
            plan.rules.max_hedges,
            plan.rules.hedge_delay,
        )
        .with_call_started(call_started.min(now))
        .with_failed(late.progress.failed())
        .with_after_failure(late.progress.is_after_failure())
        .with_time_left(left)
        .with_key_fingerprint(plan.key.fingerprint())
        .with_first_look(first_look);
        if let Some(latency) = &plan.latency {
            state = state.with_latency(latency.snapshot(now));
        }
        let asked = self.plugin(Component::Trigger, |_| {
            plan.trigger.as_ref().map(|trigger| trigger.should_spawn_hedge(&state))
        });
        let decision = asked.ok().flatten().unwrap_or(HedgeDecision::never());
        self.on(Event::Advised { now, decision });
    }

    /// Waits for whatever is due next; ready when there is something to do.
    #[inline(never)]
    pub(crate) fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.again().poll_due_in(cx)
    }

    #[inline(always)]
    fn poll_due_in(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let polled = self.poll_timer_for_next(cx);
        if polled.is_pending() {
            self.pause();
        }
        polled
    }

    #[inline(always)]
    fn poll_timer_for_next(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let Some(late) = &self.state.late else {
                return Poll::Pending;
            };
            let Some(due) = late.progress.next_due() else {
                return Poll::Pending;
            };
            if !late.timer.covers(due) {
                let now = self.now();
                if now >= due {
                    self.on(Event::Due { now });
                    return Poll::Ready(());
                }
                if let Err(panic) = self.arm(due, due.since(now)) {
                    self.again().broken(panic);
                    return Poll::Ready(());
                }
            }
            match self.poll_timer(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(panic)) => {
                    self.again().broken(panic);
                    return Poll::Ready(());
                }
                Poll::Ready(Ok(come)) => {
                    (self.state.is_fresh, self.state.floor) = (false, self.state.floor.max(come));
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
