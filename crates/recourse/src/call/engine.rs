//! [`Engine`]: one call without its operation: asks and tells plugins, keeps time, obeys [`decide`](super::decide).
//!
//! Everything that is taken is given back here, also when the call is dropped at any point.
//!
//! A call that succeeds at once has nothing to decide. All that it needs is the engine itself;
//! the rest is [`Late`], made when something is to be decided or timed. Until then a call is **early**: either
//! nothing was launched, or the first attempt is in flight.

use crate::call::clock::CallClock;
use crate::call::decide::{Event, NEVER, Progress, Step};
use crate::call::nesting::Nesting;
use crate::call::open::HedgesOpen;
use crate::call::recorder::{Audience, Recorder};
use crate::call::state::{CallState, Late, take_label};
use crate::call::timer::CallTimer;
use crate::fence::PanicError;
use crate::plan::Plan;
use crate::shared::Shared;
use recourse_core::{Attempt, Component, Key, Label, Moment, Now, StopReason, Timeline, reason};
use std::error::Error;
use std::sync::Arc;

/// The engine of a call, as it runs over what the call holds.
pub(crate) struct Engine<'h, 'a> {
    pub(super) shared: &'a Shared,
    pub(super) plan: &'h Plan,
    pub(super) state: &'h mut CallState<'a>,
}

impl<'a> Engine<'_, 'a> {
    /// The same engine in values of its own, which a function can keep in registers as long as it passes on none of them by
    /// reference: so what is not inlined there is called on another.
    #[inline(always)]
    pub(super) fn again(&mut self) -> Engine<'_, 'a> {
        Engine { shared: self.shared, plan: self.plan, state: self.state }
    }

    /// Starts the call.
    #[inline]
    pub(crate) fn start(&mut self, capture: bool) {
        if capture || self.shared.is_watched() {
            self.start_recording();
        }
        if !self.plan.start.is_early {
            self.start_late();
        }
    }

    /// From here on the call is recorded, and its start is told.
    #[inline(never)]
    fn start_recording(&mut self) {
        let (shared, plan) = (self.shared, self.plan);
        let (can_hedge, around) = (self.state.can_hedge, self.state.around);
        if !shared.clock_trusted {
            self.late();
        }
        self.state.recorder.switch_on(&plan.key);
        self.state.tells_times = true;
        let now = self.now();
        let calendar = || shared.clock.calendar(now);
        let started_at = match shared.clock_trusted {
            true => calendar(),
            false => shared.fence.run(Component::Clock, calendar).ok().flatten(),
        };
        self.state.ended = false;
        self.observe(|recorder, audience| recorder.start(plan, now, started_at, audience));
        if around.is_inside() {
            let retried = around.is_retried();
            self.note(
                recourse_observe::names::NESTED,
                if retried { "in_retryable_attempt" } else { "in_last_attempt" },
            );
        }
        if !can_hedge && plan.trigger.is_some() {
            self.note(recourse_observe::names::HEDGING, "off_one_at_a_time");
        }
    }

    /// Starts a call that can't be early.
    #[inline(never)]
    fn start_late(&mut self) {
        let plan = self.plan;
        let late = self.late();
        if let Some(stop) = &plan.stop {
            late.cause = Some(stop.cause.clone());
            late.step = Step::Finish { stop: Some(stop.reason) };
        }
    }

    /// The rest of the engine, made if it isn't there.
    #[inline]
    pub(super) fn late(&mut self) -> &mut Late<'a> {
        if self.state.late.is_none() {
            self.again().become_late();
        }
        match &mut self.state.late {
            Some(late) => late,
            None => unreachable!("it was made just now"),
        }
    }

    #[inline(never)]
    fn become_late(&mut self) {
        let mut progress =
            Progress::new(&self.plan.rules, self.state.can_hedge, self.state.around.is_retried());
        let mut step = Step::Ask { slot: 0 };
        if self.state.primary.is_launched() {
            step = progress.on(&self.plan.rules, Event::Admitted { slot: 0 });
        }
        self.state.late = Some(Late {
            progress,
            step,
            slept: 0,
            before: 0,
            timer: CallTimer::default(),
            hedges: HedgesOpen::default(),
            clock: (!self.shared.clock_trusted).then(|| CallClock::new(self.shared)),
            reason: Label::EMPTY,
            cause: None,
            launched: u32::from(self.state.primary.is_launched()),
            looked: false,
            is_over: false,
            in_drop: false,
        });
    }

    /// An attempt had to wait. True where that leaves the call early: no time is limited, and no hedge may follow.
    #[inline]
    pub(super) fn waits_early(&mut self) -> bool {
        let early = self.is_early() && !self.plan.rules.wants_time(self.state.can_hedge);
        if early && self.state.started == NEVER {
            let now = self.shared.clock.now().max(self.state.floor);
            (self.state.started, self.state.floor) = (now, now);
            self.state.primary.pended = true;
        }
        early
    }

    /// Whether nothing had to be decided yet.
    #[inline]
    pub(crate) fn is_early(&self) -> bool {
        self.state.late.is_none()
    }

    #[inline]
    pub(crate) fn key(&self) -> &Key {
        &self.plan.key
    }

    #[inline]
    pub(crate) fn group(&self) -> u32 {
        self.state.late.as_ref().map_or(0, |late| late.progress.group())
    }

    /// The attempts in flight, a bit a slot.
    #[inline]
    pub(crate) fn live(&self) -> u8 {
        self.state.late.as_ref().map_or(0, |late| late.progress.live())
    }

    /// What the call site said of repeating the operation.
    #[inline]
    pub(crate) fn idempotent(&self) -> Option<bool> {
        self.state.idempotent
    }

    #[inline]
    pub(crate) fn launched(&self) -> u32 {
        self.state.late.as_ref().map_or(0, |late| late.launched)
    }

    /// What to do now. A clock that panicked ends the call.
    #[inline]
    pub(crate) fn step(&mut self) -> Step {
        if !self.shared.clock_trusted {
            self.again().clock_broke();
        }
        self.late().step
    }

    /// Whether the clock has panicked; then that ends the call.
    #[cold]
    pub(super) fn clock_broke(&mut self) -> bool {
        let Some(panic) = self.foreign_clock().and_then(CallClock::panicked) else {
            return false;
        };
        if !matches!(self.late().step, Step::Finish { .. }) {
            self.broken(panic);
        }
        true
    }

    /// Whether nothing more is to be launched or waited for.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        self.state.late.as_ref().is_some_and(|late| matches!(late.step, Step::Finish { .. }))
    }

    /// Whether nothing of the group is to be polled, launched or cut any more.
    #[inline]
    pub(crate) fn group_is_over(&mut self) -> bool {
        !matches!(self.step(), Step::Poll | Step::Advise | Step::Ask { .. } | Step::Cut { .. })
    }

    /// Why the call ended; `None` for a success.
    #[inline]
    pub(crate) fn stop(&self) -> Option<StopReason> {
        let late = self.state.late.as_ref()?;
        let Step::Finish { stop: Some(stop) } = late.step else {
            return None;
        };
        let panicked = stop == StopReason::Abort && late.reason == reason::PANIC_IN_CLASSIFIER;
        Some(if panicked { StopReason::PanicIn(Component::Classifier) } else { stop })
    }

    #[inline(always)]
    pub(super) fn on(&mut self, event: Event) {
        let rules = &self.plan.rules;
        let late = self.late();
        late.step = late.progress.on(rules, event);
    }

    /// A plugin without which the call can't go on has panicked.
    #[cold]
    pub(super) fn broken(&mut self, panic: PanicError) {
        let stop = StopReason::PanicIn(panic.component);
        self.late().cause = Some(Arc::new(panic));
        self.on(Event::Broken { stop });
    }

    /// The call's future is about to be pending: until its next poll, time passes.
    #[inline]
    pub(super) fn pause(&mut self) {
        self.state.is_fresh = false;
    }

    /// The operation's code runs from here, for this attempt.
    #[inline]
    pub(crate) fn enter(&mut self, slot: usize) {
        #[allow(clippy::cast_possible_truncation, reason = "there are four slots")]
        let slot = slot as u8;
        self.state.running = Some((Component::Operation, slot));
    }

    #[inline]
    pub(crate) fn leave(&mut self) {
        self.state.running = None;
        // Times that are told to somebody must be exact.
        self.state.is_fresh &= !self.state.tells_times;
    }

    /// What calls inside the group's attempts run in.
    #[inline]
    pub(crate) fn nesting(&self) -> Nesting {
        let own = match &self.state.late {
            Some(late) => Nesting::in_attempt(late.progress.may_retry(&self.plan.rules)),
            None if self.state.can_hedge => self.plan.start.nesting,
            None => Nesting::in_attempt(self.plan.rules.may_retry(false)),
        };
        own.and(self.state.around)
    }

    /// Runs an attempt's future.
    #[inline]
    pub(crate) fn attempting<R>(&mut self, slot: usize, code: impl FnOnce() -> R) -> R {
        let nesting = self.nesting();
        self.guarded(slot, || nesting.run(code))
    }

    /// Makes an attempt's future.
    #[inline]
    pub(crate) fn launching<R>(&mut self, slot: usize, attempt: Attempt, code: impl FnOnce() -> R) -> R {
        // What it runs in, its attempt knows.
        self.guarded(slot, || Nesting::within(attempt).run(code))
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
    #[inline]
    pub(super) fn plugin<R>(
        &mut self,
        component: Component,
        plugin: impl FnOnce(&Self) -> R,
    ) -> Result<R, PanicError> {
        let fence = &self.shared.fence;
        if self.state.late.as_ref().is_some_and(|late| late.in_drop) {
            return fence.always(component, || plugin(self));
        }
        let before = self.state.running.replace((component, 0));
        let result = fence.run(component, || plugin(self));
        self.state.running = before;
        result
    }

    /// The present moment; read once a poll, and once more where the operation has run and times are told.
    #[inline]
    pub(super) fn now(&mut self) -> Moment {
        match self.state.is_fresh {
            true => self.state.floor,
            false => self.again().read_clock(),
        }
    }

    #[inline(never)]
    fn read_clock(&mut self) -> Moment {
        let shared = self.shared;
        let floor = self.state.floor;
        let read = match &self.state.late {
            Some(Late { clock: Some(clock), in_drop: true, .. }) => clock.read_in_drop(floor),
            Some(Late { clock: Some(clock), .. }) => clock.read(floor),
            _ => shared.clock.now(),
        };
        self.state.floor = floor.max(read);
        self.state.is_fresh = true;
        self.state.floor
    }

    /// The present moment for a plugin, read only if it asks.
    #[inline]
    pub(super) fn lazy_now(&self) -> Now<'_> {
        match &self.state.late {
            _ if self.state.is_fresh => Now::at(self.state.floor),
            Some(Late { clock: Some(clock), .. }) => Now::of(clock),
            _ => Now::of(&*self.shared.clock),
        }
    }

    /// The clock, where it is not our own.
    #[inline]
    pub(super) fn foreign_clock(&self) -> Option<&CallClock<'a>> {
        self.state.late.as_ref().and_then(|late| late.clock.as_ref())
    }

    /// Whether somebody is told when attempts start and end.
    #[inline]
    pub(super) fn tells_times(&self) -> bool {
        self.state.tells_times
    }

    /// Whether the call is recorded.
    #[inline]
    pub(crate) fn is_recorded(&self) -> bool {
        self.state.recorder.is_on()
    }

    /// Tells the observers something. If one unwinds all the same, the call knows whose panic it was.
    #[inline]
    pub(super) fn observe<R>(&mut self, tell: impl FnOnce(&mut Recorder, &Audience<'_>) -> R) -> R {
        let (shared, plan) = (self.shared, self.plan);
        let before = self.state.running.replace((Component::Observer, 0));
        let in_drop = self.state.late.as_ref().is_some_and(|late| late.in_drop);
        let audience = Audience { shared, key: &plan.key, in_drop };
        let result = tell(&mut self.state.recorder, &audience);
        self.state.running = before;
        result
    }

    /// Notes something in the timeline, if there is one.
    pub(super) fn note(&mut self, name: &'static str, value: impl Into<Label>) {
        self.state.recorder.note(name, value);
    }

    #[inline]
    pub(crate) fn take_detail(&mut self) -> (Label, Option<Arc<dyn Error + Send + Sync>>) {
        let late = self.late();
        (take_label(&mut late.reason), late.cause.take())
    }

    #[inline(never)]
    pub(crate) fn drop_timeline(&mut self) {
        self.state.recorder = Recorder::default();
    }

    /// Leaves the recorder of a call that is over with a value to whoever captures it; else the thread has its memory back.
    #[inline]
    pub(crate) fn leave_recorder(&mut self, captures: bool) -> Option<Recorder> {
        if captures {
            return Some(std::mem::take(&mut self.state.recorder));
        }
        if self.is_recorded() {
            self.drop_timeline();
        }
        None
    }

    #[inline]
    pub(crate) fn take_timeline(&mut self) -> Timeline {
        self.state.recorder.take_timeline()
    }
}
