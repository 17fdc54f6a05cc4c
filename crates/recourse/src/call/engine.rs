//! [`Engine`]: one call without its operation: asks and tells plugins, keeps time, obeys [`decide`](super::decide).
//!
//! Everything that is taken is given back here, also when the call is dropped at any point.
//!
//! A call that succeeds at once needs little of this, so the rest is [`Late`]: made when something first has to be
//! decided. Until then the call stands where every call stands after its first admission.

use crate::call::clock::CallClock;
use crate::call::decide::{Event, NEVER, Progress, Step};
use crate::call::open::{HedgesOpen, Open};
use crate::call::recorder::Recorder;
use crate::call::timer::CallTimer;
use crate::fence::PanicError;
use crate::plan::Plan;
use crate::shared::Shared;
use recourse_core::{Clock, Component, Key, Label, Moment, Now, StopReason, Timeline, reason};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

pub(crate) struct Engine<'p, 'l> {
    pub(super) shared: &'p Shared,
    pub(super) plan: &'p Plan,
    pub(super) step: Step,
    /// The clock as read since the call's future was last polled; `NEVER` if it was not. Where times are told to
    /// somebody, it is read again after the operation has run.
    pub(super) moment: Moment,
    /// It is at least this late: within a call time never goes back, whatever the clock does.
    pub(super) floor: Moment,
    pub(super) group_started: Moment,
    /// The group's primary.
    pub(super) primary: Open,
    pub(super) recorder: Recorder<'p>,
    pub(super) idempotent: Option<bool>,
    pub(super) launched: u32,
    /// What runs now, and for which attempt: if it unwinds, the call ended by its panic.
    pub(super) running: Option<(Component, u8)>,
    /// Whether there is no end to tell: it was told, or the start was not.
    pub(super) ended: bool,
    can_hedge: bool,
    /// Beside the engine and not in it, so that the engine is small enough to be made in registers.
    pub(super) late: &'l mut Option<Late<'p>>,
}

/// What a call needs once it has not succeeded at once.
pub(crate) struct Late<'p> {
    pub(super) progress: Progress,
    /// Only where the clock is not our own.
    pub(super) clock: Option<Box<CallClock<'p>>>,
    /// When the call first had to wait, for an attempt or between two: alike whether or not it is observed. `NEVER`
    /// before that.
    pub(super) started: Moment,
    /// Waits that were over before the call first had to wait.
    pub(super) slept: Duration,
    pub(super) timer: CallTimer<'p>,
    pub(super) hedges: HedgesOpen,
    /// The wait before this group.
    pub(super) before: Duration,
    /// What the classifier said of the attempt that decides the group.
    pub(super) reason: Label,
    pub(super) cause: Option<Arc<dyn Error + Send + Sync>>,
}

impl<'p, 'l> Engine<'p, 'l> {
    /// Starts a call by its plan.
    #[inline]
    pub(crate) fn begin(
        shared: &'p Shared,
        plan: &'p Plan,
        late: &'l mut Option<Late<'p>>,
        idempotent: Option<bool>,
        capture: bool,
        can_hedge: bool,
    ) -> Self {
        let mut engine = Engine {
            shared,
            plan,
            step: Step::Ask { slot: 0 },
            moment: NEVER,
            floor: Moment::ZERO,
            group_started: NEVER,
            primary: Open::default(),
            recorder: Recorder::off(shared),
            idempotent,
            launched: 0,
            running: None,
            ended: true,
            can_hedge,
            late,
        };
        if capture || shared.is_watched() || plan.stop.is_some() || !shared.clock_trusted {
            engine.start(capture);
        }
        engine
    }

    #[inline(never)]
    fn start(&mut self, capture: bool) {
        if !self.shared.clock_trusted {
            // Whoever reads this clock must be able to say that it has panicked.
            self.late();
        }
        if capture || self.shared.is_watched() {
            self.recorder.switch_on(&self.plan.key);
            let now = self.now();
            let started_at = match self.shared.clock_trusted {
                true => self.shared.clock.calendar(now),
                false => {
                    let read = self.shared.fence.run(Component::Clock, || self.shared.clock.calendar(now));
                    read.ok().flatten()
                }
            };
            self.running = Some((Component::Observer, 0));
            self.ended = false;
            self.recorder.start(self.plan, now, started_at);
            self.running = None;
            if !self.can_hedge && self.plan.trigger.is_some() {
                self.recorder.note(recourse_observe::names::HEDGING, "off_one_at_a_time");
            }
        }
        if let Some(stop) = &self.plan.stop {
            self.late().cause = Some(stop.cause.clone());
            self.step = Step::Finish { stop: Some(stop.reason), slot: None };
        }
    }

    /// The rest of the engine, made if it isn't there.
    #[inline]
    pub(super) fn late(&mut self) -> &mut Late<'p> {
        if self.late.is_none() {
            self.become_late();
        }
        match self.late {
            Some(late) => late,
            None => unreachable!("it was made just now"),
        }
    }

    #[inline(never)]
    fn become_late(&mut self) {
        let mut progress = Progress::new(&self.plan.rules, self.can_hedge);
        if self.launched > 0 {
            progress.on(&self.plan.rules, Event::Admitted { slot: 0 });
        }
        *self.late = Some(Late {
            progress,
            clock: (!self.shared.clock_trusted).then(|| Box::new(CallClock::new(self.shared))),
            started: NEVER,
            slept: Duration::ZERO,
            timer: CallTimer::default(),
            hedges: HedgesOpen::default(),
            before: Duration::ZERO,
            reason: Label::EMPTY,
            cause: None,
        });
    }

    pub(crate) fn key(&self) -> &Key {
        &self.plan.key
    }

    #[inline]
    pub(crate) fn group(&self) -> u32 {
        self.late.as_ref().map_or(0, |late| late.progress.group())
    }

    /// Whether this attempt is in flight. Before anything was decided, the first one is.
    #[inline]
    pub(crate) fn is_live(&self, slot: usize) -> bool {
        self.late.as_ref().map_or(slot == 0, |late| late.progress.is_live(slot))
    }

    /// What the call site said of repeating the operation.
    #[inline]
    pub(crate) fn idempotent(&self) -> Option<bool> {
        self.idempotent
    }

    pub(crate) fn launched(&self) -> u32 {
        self.launched
    }

    /// What to do now. A clock that panicked ends the call.
    #[inline]
    pub(crate) fn step(&mut self) -> Step {
        if !self.shared.clock_trusted {
            self.check_clock();
        }
        self.step
    }

    #[cold]
    fn check_clock(&mut self) {
        if matches!(self.step, Step::Finish { .. }) {
            return;
        }
        if let Some(panic) = self.foreign_clock().and_then(CallClock::panicked) {
            self.broken(panic);
        }
    }

    /// Why the call ended; `None` for a success.
    #[inline]
    pub(crate) fn stop(&self) -> Option<StopReason> {
        let Step::Finish { stop: Some(stop), .. } = self.step else {
            return None;
        };
        let panicked = |late: &Late<'_>| late.reason == reason::PANIC_IN_CLASSIFIER;
        match stop {
            StopReason::Abort if self.late.as_ref().is_some_and(panicked) => {
                Some(StopReason::PanicIn(Component::Classifier))
            }
            stop => Some(stop),
        }
    }

    #[inline(always)]
    pub(super) fn on(&mut self, event: Event) {
        let rules = &self.plan.rules;
        self.step = self.late().progress.on(rules, event);
    }

    /// A plugin without which the call can't go on has panicked.
    #[cold]
    pub(super) fn broken(&mut self, panic: PanicError) {
        let stop = StopReason::PanicIn(panic.component);
        self.late().cause = Some(Arc::new(panic));
        self.on(Event::Broken { stop });
    }

    /// The call's future is polled again: time has passed.
    #[inline]
    pub(crate) fn wake(&mut self) {
        self.moment = NEVER;
    }

    /// Whether times are told to somebody, so that they must be exact.
    #[inline]
    fn is_timed(&self) -> bool {
        self.recorder.is_on() || self.plan.latency.is_some()
    }

    /// The operation's code runs from here, for this attempt.
    #[inline]
    pub(crate) fn enter(&mut self, slot: usize) {
        #[allow(clippy::cast_possible_truncation, reason = "there are four slots")]
        let slot = slot as u8;
        self.running = Some((Component::Operation, slot));
    }

    #[inline]
    pub(crate) fn leave(&mut self) {
        self.running = None;
        if self.is_timed() {
            self.moment = NEVER;
        }
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
        let before = self.running.replace((component, 0));
        let result = self.shared.fence.run(component, || plugin(self));
        self.running = before;
        result
    }

    /// The present moment; read once a poll, and once more where the operation has run and times are told.
    #[inline]
    pub(super) fn now(&mut self) -> Moment {
        if self.moment == NEVER {
            self.read_clock();
        }
        self.moment
    }

    fn read_clock(&mut self) {
        let read = match self.foreign_clock() {
            None => self.shared.clock.now(),
            Some(clock) if self.recorder.in_drop => clock.now_in_drop(),
            Some(clock) => clock.now(),
        };
        self.floor = self.floor.max(read);
        self.moment = self.floor;
    }

    /// The present moment for a plugin, read only if it asks.
    #[inline]
    pub(super) fn lazy_now(&self) -> Now<'_> {
        if self.moment != NEVER {
            return Now::at(self.moment);
        }
        match self.foreign_clock() {
            Some(clock) => Now::of(clock),
            None => Now::of(&*self.shared.clock),
        }
    }

    /// The clock, where it is not our own.
    #[inline]
    pub(super) fn foreign_clock(&self) -> Option<&CallClock<'p>> {
        self.late.as_ref().and_then(|late| late.clock.as_deref())
    }

    /// Tells the observers something. If one unwinds all the same, the call knows whose panic it was.
    pub(super) fn observe<R>(&mut self, tell: impl FnOnce(&mut Recorder<'p>) -> R) -> R {
        let before = self.running.replace((Component::Observer, 0));
        let result = tell(&mut self.recorder);
        self.running = before;
        result
    }

    pub(crate) fn take_detail(&mut self) -> (Label, Option<Arc<dyn Error + Send + Sync>>) {
        match self.late {
            Some(late) => (std::mem::take(&mut late.reason), late.cause.take()),
            None => (Label::EMPTY, None),
        }
    }

    pub(crate) fn take_timeline(&mut self) -> Timeline {
        let key = self.plan.key.clone();
        self.recorder.take_timeline().unwrap_or_else(|| Timeline::new(key, Moment::ZERO))
    }
}
