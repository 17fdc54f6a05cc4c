//! [`Engine`]: one call without its operation: asks and tells plugins, keeps time, obeys [`decide`](super::decide).
//!
//! Everything that is taken is given back here, also when the call is dropped at any point.

use crate::call::clock::CallClock;
use crate::call::decide::{Event, NEVER, Progress, Step};
use crate::call::open::Opens;
use crate::call::recorder::Recorder;
use crate::call::site::Start;
use crate::call::timer::Timer;
use crate::fence::PanicError;
use crate::plan::{Plan, PlanRef};
use crate::shared::Shared;
use recourse_core::{Attempt, Clock, Component, Key, Label, Moment, Now, StopReason, Timeline, reason};
use std::error::Error;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

pub(crate) struct Engine<'a> {
    pub(super) shared: &'a Shared,
    pub(super) plan: PlanRef,
    pub(super) progress: Progress,
    pub(super) step: Step,
    pub(super) clock: CallClock<'a>,
    /// The clock, as read since foreign code last ran; `NEVER` if it was not.
    pub(super) moment: Moment,
    /// It is at least this late: within a call time never goes back, whatever the clock does.
    pub(super) floor: Moment,
    /// When the call first had to wait, or an attempt first failed: alike whether or not it is observed.
    /// `NEVER` before that.
    pub(super) started: Moment,
    pub(super) group_started: Moment,
    pub(super) timer: Timer<'a>,
    pub(super) open: Opens,
    pub(super) recorder: Recorder<'a>,
    pub(super) idempotent: Option<bool>,
    /// The wait before this group.
    pub(super) before: Duration,
    pub(super) launched: u32,
    /// What the classifier said of the attempt that decides the group.
    pub(super) reason: Label,
    pub(super) cause: Option<Arc<dyn Error + Send + Sync>>,
    /// What runs now, and for which attempt: if it unwinds, the call ended by its panic.
    pub(super) running: Option<(Component, u8)>,
    /// Whether there is no end to tell: it was told, or the start was not.
    pub(super) ended: bool,
}

impl<'a> Engine<'a> {
    /// Starts a call by its plan.
    pub(crate) fn begin(start: Start<'a>, capture: bool, can_hedge: bool) -> Self {
        let Start { shared, plan, idempotent } = start;
        let mut engine = Engine {
            progress: Progress::new(&plan.rules, can_hedge),
            step: Step::Ask { slot: 0 },
            clock: CallClock::new(shared),
            moment: NEVER,
            floor: Moment::ZERO,
            started: NEVER,
            group_started: Moment::ZERO,
            timer: Timer::default(),
            open: Opens::default(),
            recorder: Recorder::new(shared, &plan.key, capture),
            idempotent,
            before: Duration::ZERO,
            launched: 0,
            reason: Label::EMPTY,
            cause: None,
            running: None,
            ended: true,
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
            self.ended = false;
            self.recorder.start(&self.plan, now, started_at.ok().flatten());
            self.running = None;
        }
        self.ended = false;
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
        if !matches!(self.step, Step::Finish { .. }) {
            if let Some(panic) = self.clock.panicked() {
                self.broken(panic);
            }
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

    /// A plugin without which the call can't go on has panicked.
    pub(super) fn broken(&mut self, panic: PanicError) {
        let stop = StopReason::PanicIn(panic.component);
        self.cause = Some(Arc::new(panic));
        self.on(Event::Broken { stop });
    }

    /// The operation's code runs from here, for this attempt.
    #[inline]
    pub(crate) fn enter(&mut self, slot: usize) {
        self.moment = NEVER;
        #[allow(clippy::cast_possible_truncation, reason = "there are four slots")]
        let slot = slot as u8;
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
        if self.moment == NEVER {
            let read = if self.recorder.in_drop { self.clock.now_in_drop() } else { self.clock.now() };
            self.floor = self.floor.max(read);
            self.moment = self.floor;
        }
        self.moment
    }

    /// The present moment for a plugin, read only if it asks.
    pub(super) fn lazy_now(&self) -> Now<'_> {
        if self.moment == NEVER { Now::of(&self.clock) } else { Now::at(self.moment) }
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
                    if self.start_wait(wait) {
                        poll_fn(|cx| self.poll_wait(wait, cx)).await;
                    }
                }
                _ => return None,
            }
        }
    }

    /// Tells the observers something. If one unwinds all the same, the call knows whose panic it was.
    pub(super) fn observe<R>(&mut self, tell: impl FnOnce(&mut Recorder<'a>) -> R) -> R {
        let before = self.running.replace((Component::Observer, 0));
        let result = tell(&mut self.recorder);
        self.running = before;
        result
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
