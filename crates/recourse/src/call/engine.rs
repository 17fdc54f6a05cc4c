//! [`Engine`]: one call without its operation: asks and tells plugins, keeps time, obeys [`decide`](super::decide).
//!
//! Everything that is taken is given back here, also when the call is dropped at any point.

use crate::call::builder::Call;
use crate::call::clock::CallClock;
use crate::call::decide::{Event, Progress, SLOTS, Step};
use crate::call::open::Open;
use crate::call::recorder::{Close, Recorder};
use crate::call::timer::Timer;
use crate::fence::PanicError;
use crate::plan::{Plan, PlanRef};
use crate::shared::Shared;
use recourse_core::{
    Attempt, AttemptResult, Clock, Component, Ending, Health, HedgeState, Key, Label, Moment, Now, Outcome,
    OutcomeKind, StopReason, Timeline, reason,
};
use std::error::Error;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

pub(crate) struct Engine<'a> {
    pub(super) shared: &'a Shared,
    pub(super) plan: PlanRef,
    pub(super) progress: Progress,
    pub(super) step: Step,
    pub(super) clock: CallClock<'a>,
    /// The clock, as read since foreign code last ran.
    moment: Option<Moment>,
    /// When the call was first timed.
    started: Option<Moment>,
    group_started: Moment,
    timer: Timer<'a>,
    pub(super) open: [Open; SLOTS],
    pub(super) recorder: Recorder<'a>,
    idempotent: Option<bool>,
    /// The wait before this group.
    pub(super) before: Duration,
    pub(super) launched: u32,
    /// What the classifier said of the attempt that decides the group.
    reason: Label,
    cause: Option<Arc<dyn Error + Send + Sync>>,
    /// What runs now, and for which attempt: if it unwinds, the call ended by its panic.
    running: Option<(Component, usize)>,
    ended: bool,
}

impl<'a> Engine<'a> {
    /// Resolves the call's plan and starts the call.
    pub(crate) async fn begin(call: Call<'a>, capture: bool, can_hedge: bool) -> Self {
        let shared = call.shared;
        let slot = call.target.slot();
        let plan = match slot.fresh(&shared.world) {
            Some(plan) => plan,
            // Seldom: boxed, so that every other call's future stays small.
            None => Box::pin(slot.plan(&shared.world)).await,
        };
        let mut engine = Engine {
            progress: Progress::new(&plan.rules, can_hedge),
            step: Step::Ask { slot: 0 },
            clock: CallClock::new(&*shared.clock, shared.clock_trusted, &shared.fence),
            moment: None,
            started: None,
            group_started: Moment::ZERO,
            timer: Timer::new(&*shared.sleeper),
            open: Default::default(),
            recorder: Recorder::new(&shared.observers, &shared.fence, &plan.key, capture),
            idempotent: call.idempotent,
            before: Duration::ZERO,
            launched: 0,
            reason: Label::EMPTY,
            cause: None,
            running: None,
            ended: false,
            shared,
            plan,
        };
        engine.start(can_hedge);
        engine
    }

    fn start(&mut self, can_hedge: bool) {
        if self.recorder.is_on() {
            let now = self.now();
            let started_at = self.shared.fence.run(Component::Clock, || self.shared.clock.calendar(now));
            self.running = Some((Component::Observer, 0));
            self.recorder.start(&self.plan, now, started_at.ok().flatten());
            self.running = None;
        }
        if !can_hedge && self.plan.trigger.is_some() {
            self.recorder.note(recourse_observe::names::HEDGING, "off_one_at_a_time");
        }
        if let Some(stop) = &self.plan.stop {
            self.cause = Some(stop.cause.clone());
            self.step = Step::Finish { stop: Some(stop.reason), slot: None };
        }
    }

    pub(crate) fn key(&self) -> &Key {
        &self.plan.key
    }

    pub(crate) fn group(&self) -> u32 {
        self.progress.group()
    }

    pub(crate) fn is_live(&self, slot: usize) -> bool {
        self.progress.is_live(slot)
    }

    pub(crate) fn launched(&self) -> u32 {
        self.launched
    }

    /// What to do now. A clock that panicked ends the call.
    #[inline]
    pub(crate) fn step(&mut self) -> Step {
        if self.clock.panicked() && !matches!(self.step, Step::Finish { .. }) {
            self.broken(Component::Clock, None);
        }
        self.step
    }

    /// Why the call ended; `None` for a success.
    pub(crate) fn stop(&self) -> Option<StopReason> {
        match self.step {
            Step::Finish { stop: Some(StopReason::Abort), .. }
                if self.reason == reason::PANIC_IN_CLASSIFIER =>
            {
                Some(StopReason::PanicIn(Component::Classifier))
            }
            Step::Finish { stop, .. } => stop,
            _ => None,
        }
    }

    pub(super) fn on(&mut self, event: Event) {
        self.step = self.progress.on(&self.plan.rules, event);
    }

    fn broken(&mut self, component: Component, panic: Option<PanicError>) {
        self.cause = panic.map(|panic| Arc::new(panic) as Arc<dyn Error + Send + Sync>);
        self.on(Event::Broken { stop: StopReason::PanicIn(component) });
    }

    /// The operation's code runs from here, for this attempt.
    #[inline]
    pub(crate) fn enter(&mut self, slot: usize) {
        self.moment = None;
        self.running = Some((Component::Operation, slot));
    }

    #[inline]
    pub(crate) fn leave(&mut self) {
        self.running = None;
    }

    /// Runs the operation's code for this attempt.
    #[inline]
    pub(crate) fn guarded<R>(&mut self, slot: usize, code: impl FnOnce() -> R) -> R {
        self.enter(slot);
        let result = code();
        self.leave();
        result
    }

    /// Runs a plugin behind the fence. If it unwinds all the same, the call knows whose panic it was.
    pub(super) fn plugin<R>(
        &mut self,
        component: Component,
        plugin: impl FnOnce(&Self) -> R,
    ) -> Result<R, PanicError> {
        if self.recorder.in_drop {
            return self.shared.fence.always(component, || plugin(self));
        }
        self.running = Some((component, 0));
        let fence = &self.shared.fence;
        let result = fence.run(component, || plugin(self));
        self.running = None;
        result
    }

    /// The present moment; read again only after foreign code has run.
    pub(super) fn now(&mut self) -> Moment {
        let moment = match self.moment {
            Some(moment) => moment,
            None if self.recorder.in_drop => self.clock.now_in_drop(),
            None => self.clock.now(),
        };
        self.moment = Some(moment);
        self.started.get_or_insert(moment);
        moment
    }

    /// The present moment for a plugin, read only if it asks.
    pub(super) fn lazy_now(&self) -> Now<'_> {
        self.moment.map_or_else(|| Now::of(&self.clock), Now::at)
    }

    /// The next attempt group's primary; `None` when the call is over.
    pub(crate) async fn next(&mut self) -> Option<Attempt> {
        loop {
            match self.step() {
                Step::Ask { slot } => {
                    if let Some(attempt) = self.permit(slot) {
                        return Some(attempt);
                    }
                }
                Step::Draw { server } => self.draw(server),
                Step::Peek { wait } => {
                    let refusal = self.peek(wait);
                    self.on(Event::Peeked { wait, refusal });
                }
                Step::Wait { wait } => {
                    poll_fn(|cx| self.poll_wait(wait, cx)).await;
                }
                _ => return None,
            }
        }
    }

    fn draw(&mut self, server: Option<Duration>) {
        let now = self.plan.rules.overall_timeout.is_some().then(|| self.now());
        let wait = server
            .unwrap_or_else(|| self.plan.backoff.wait(self.group(), self.before, self.shared.random.draw()));
        self.on(Event::Drawn { wait, now });
    }

    fn poll_wait(&mut self, wait: Duration, cx: &mut Context<'_>) -> Poll<()> {
        // The end of a wait is what the sleeper says, whatever the clock does: one mark serves every wait.
        let due = Moment::from_nanos(u64::MAX);
        if wait.is_zero() {
            self.before = wait;
            self.on(Event::Waited);
            return Poll::Ready(());
        }
        if !self.timer.covers(due) {
            if let Err(panic) = self.timer.arm(due, wait, &self.shared.fence) {
                self.broken(Component::Sleeper, Some(panic));
                return Poll::Ready(());
            }
        }
        self.moment = None;
        match self.timer.poll(cx, &self.shared.fence) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(_)) => {
                self.before = wait;
                self.on(Event::Waited);
            }
            Poll::Ready(Err(panic)) => self.broken(Component::Sleeper, Some(panic)),
        }
        Poll::Ready(())
    }

    /// An attempt had to wait.
    pub(crate) fn pended(&mut self, slot: usize) {
        if std::mem::replace(&mut self.open[slot].pended, true) {
            return;
        }
        if self.started.is_none() || self.progress.wants_time(&self.plan.rules) {
            let now = self.now();
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
            #[allow(clippy::cast_possible_truncation, reason = "there are four slots")]
            let used = engine.progress.used() as u32;
            let state = HedgeState::new(
                engine.group_started,
                now,
                used,
                plan.rules.max_hedges,
                plan.rules.hedge_delay,
            )
            .with_call_started(engine.started.unwrap_or(now))
            .with_latency(plan.latency.as_ref().and_then(|latency| latency.snapshot(now)));
            Some(trigger.should_spawn_hedge(&state))
        });
        let decision = asked.ok().flatten().unwrap_or(recourse_core::HedgeDecision::never());
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
                if let Err(panic) = self.timer.arm(due, due.since(now), &self.shared.fence) {
                    self.broken(Component::Sleeper, Some(panic));
                    return Poll::Ready(());
                }
            }
            match self.timer.poll(cx, &self.shared.fence) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(panic)) => {
                    self.broken(Component::Sleeper, Some(panic));
                    return Poll::Ready(());
                }
                Poll::Ready(Ok(come)) => {
                    self.moment = None;
                    let now = self.now().max(come);
                    self.moment = Some(now);
                    if now >= due {
                        self.on(Event::Due { now });
                        return Poll::Ready(());
                    }
                }
            }
        }
    }

    /// An attempt has returned: judges it, gives back what it held, and says whether it decided the group at once.
    pub(crate) fn returned(&mut self, slot: usize, result: AttemptResult<'_>) -> (OutcomeKind, bool) {
        let result = result.with_idempotent(self.idempotent);
        if self.recorder.is_on()
            || (self.started.is_none() && !result.is_value())
            || self.plan.latency.is_some()
        {
            self.now();
        }
        let outcome = self.classify(&result);
        let (kind, backoff) = (outcome.kind, outcome.backoff);
        let reason = outcome.reason.clone();
        if kind == OutcomeKind::Success {
            self.sample_latency();
        }
        let ending = match kind {
            OutcomeKind::Success => Ending::Won,
            _ if result.timed_out() => Ending::TimedOut,
            _ => Ending::Failed,
        };
        let health = outcome.health;
        self.close(slot, ending, outcome, result.error().map(|error| error as &dyn Error), health);
        let group = self.group();
        self.on(Event::Ended { slot, kind, backoff });
        if kind == OutcomeKind::Success
            || (self.group() == group && self.progress.deciding_slot() == Some(slot))
        {
            self.reason = reason;
        }
        let terminal = kind != OutcomeKind::Retryable && self.plan.rules.cancel_on_first_terminal;
        (kind, kind == OutcomeKind::Success || terminal)
    }

    /// An attempt was cut: its time is over.
    pub(crate) fn timed_out(&mut self, slot: usize) {
        self.returned(slot, AttemptResult::of_timeout());
    }

    fn classify(&mut self, result: &AttemptResult<'_>) -> Outcome {
        if self.plan.classifier.trusted && self.plan.classifier.fallback.is_none() {
            return self.plan.classifier.plugin.classify(result);
        }
        let judged =
            self.plugin(Component::Classifier, |engine| engine.plan.classifier.plugin.classify(result));
        let outcome = match judged {
            Ok(outcome) => outcome.settled(),
            Err(panic) => {
                self.cause = Some(Arc::new(panic));
                Outcome::abort(reason::PANIC_IN_CLASSIFIER)
            }
        };
        match &self.plan.classifier.fallback {
            Some(notes) => {
                let mut outcome = outcome;
                outcome.attributes.extend(notes);
                outcome
            }
            None => outcome,
        }
    }

    /// From the primary's start to the first acceptable result, or to the call's cancellation: one sample a call.
    fn sample_latency(&mut self) {
        if self.plan.latency.is_some() {
            let now = self.now();
            if let Some(latency) = &self.plan.latency {
                latency.record(now.since(self.group_started), now);
            }
        }
    }

    /// Where latencies are recorded, the primary's time counts from its launch.
    pub(super) fn primary_starts(&mut self) {
        if self.plan.latency.is_some() {
            self.group_started = self.now();
        }
    }

    /// Tells the observers something. If one unwinds all the same, the call knows whose panic it was.
    pub(super) fn observe<R>(&mut self, tell: impl FnOnce(&mut Recorder<'a>) -> R) -> R {
        let before = self.running.replace((Component::Observer, 0));
        let result = tell(&mut self.recorder);
        self.running = before;
        result
    }

    /// An attempt is over: tells the breaker, gives the permit back, closes the record.
    pub(super) fn close(
        &mut self,
        slot: usize,
        ending: Ending,
        outcome: Outcome,
        error: Option<&dyn Error>,
        health: Health,
    ) {
        let mut open = std::mem::take(&mut self.open[slot]);
        self.report(open.ticket.take(), health);
        self.running = Some((Component::Budget, slot));
        open.release(&self.shared.fence, self.recorder.in_drop);
        self.running = None;
        if self.recorder.is_on() {
            let at = self.now();
            self.observe(|recorder| recorder.ended(open.record, Close { at, ending, outcome, error }));
        }
    }

    /// The group is over: whatever is still open lost the race, was cut, or fell with the call.
    pub(crate) fn close_group(&mut self) {
        let (ending, outcome, health) = match self.step {
            Step::Finish { stop: Some(StopReason::OverallTimeout), .. } => {
                (Ending::TimedOut, Outcome::abort(reason::OVERALL_TIMEOUT), Health::Down)
            }
            Step::Finish { stop: Some(StopReason::PanicIn(component)), .. } => {
                (Ending::Cancelled, Outcome::abort(component.panic_reason()), Health::None)
            }
            _ => (Ending::Superseded, Outcome::abort(reason::CONTEXT_CANCELED), Health::None),
        };
        for slot in 0..SLOTS {
            if self.open[slot].is_open() {
                self.close(slot, ending, outcome.clone(), None, health);
            }
        }
    }

    /// Ends the call, and says how long it took. Observers hear it here and nowhere else.
    pub(crate) fn finish(
        &mut self,
        stop: Option<StopReason>,
        error: Option<&(dyn Error + 'static)>,
    ) -> Duration {
        self.ended = true;
        let elapsed = match (self.started, stop) {
            (Some(started), Some(_)) => self.now().since(started),
            _ => Duration::ZERO,
        };
        if self.recorder.is_on() {
            let now = self.now();
            let cause = self.cause.clone();
            let error = error.map(|error| error as &dyn Error);
            let error = error.or_else(|| cause.as_deref().map(|cause| cause as &dyn Error));
            self.observe(|recorder| recorder.finish(stop, error.filter(|_| stop.is_some()), now));
        }
        elapsed
    }

    pub(crate) fn take_detail(&mut self) -> (Label, Option<Arc<dyn Error + Send + Sync>>) {
        (std::mem::take(&mut self.reason), self.cause.take())
    }

    pub(crate) fn take_timeline(&mut self) -> Timeline {
        let key = self.plan.key.clone();
        self.recorder.take_timeline().unwrap_or_else(|| Timeline::new(key, Moment::ZERO))
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }
}

impl Drop for Engine<'_> {
    /// The call was dropped, or something unwinds through it: gives everything back and tells the one end.
    fn drop(&mut self) {
        self.recorder.in_drop = true;
        self.timer.disarm_in_drop(&self.shared.fence);
        if self.ended {
            return;
        }
        let panicked = self.running.take();
        self.moment = None;
        if panicked.is_none() && self.open.iter().any(Open::is_open) {
            self.sample_latency();
        }
        for slot in 0..SLOTS {
            if !self.open[slot].is_open() {
                continue;
            }
            let (ending, reason) = match panicked {
                Some((Component::Operation, at)) if at == slot => {
                    (Ending::Panicked, reason::PANIC_IN_OPERATION)
                }
                _ => (Ending::Cancelled, reason::CONTEXT_CANCELED),
            };
            self.close(slot, ending, Outcome::abort(reason), None, Health::None);
        }
        let stop =
            panicked.map_or(StopReason::ContextCanceled, |(component, _)| StopReason::PanicIn(component));
        self.finish(Some(stop), None);
    }
}
