//! How an [`Engine`] ends attempts, groups and calls: everything that was taken is given back here.

use crate::call::clock::CallClock;
use crate::call::decide::{NEVER, SLOTS, Step};
use crate::call::engine::Engine;
use crate::call::open::kind_of;
use crate::call::recorder::Close;
use crate::fence::first_of;
use crate::plan::BoundBudget;
use recourse_core::{AttemptEnd, Component, Ending, Health, Outcome, StopReason, reason};
use std::error::Error;
use std::time::Duration;

impl Engine<'_, '_> {
    /// An attempt is over: tells the breaker, gives the permit back, tells the budget, closes the record. Without
    /// `health` it was given up.
    #[inline(always)]
    pub(super) fn close(
        &mut self,
        slot: usize,
        ending: Ending,
        outcome: &Outcome,
        error: Option<&dyn Error>,
        health: Option<Health>,
    ) {
        let open = self.open(slot);
        match open.holds_nothing() && !open.is_recorded() {
            true => open.over(),
            false => self.again().close_told(slot, ending, outcome, error, health),
        }
    }

    #[inline(never)]
    fn close_told(
        &mut self,
        slot: usize,
        ending: Ending,
        outcome: &Outcome,
        error: Option<&dyn Error>,
        health: Option<Health>,
    ) {
        self.again().close_in(slot, ending, outcome, error, health);
    }

    /// The same, for where the compiler is to know what it is told.
    #[inline(always)]
    pub(super) fn close_in(
        &mut self,
        slot: usize,
        ending: Ending,
        outcome: &Outcome,
        error: Option<&dyn Error>,
        health: Option<Health>,
    ) {
        if !self.open(slot).holds_nothing() {
            // Each part is taken before it is told: where that unwinds, the rest is still there to be given back.
            self.report(slot, health);
            self.give_back(slot, |engine| {
                if std::mem::take(&mut engine.open(slot).heard) {
                    engine.tell_budget(slot, ending, outcome);
                }
            });
        }
        let open = self.open(slot);
        let record = open.take_record();
        open.over();
        if self.is_recorded() {
            let at = self.now();
            let close = Close { at, ending, outcome, error };
            self.observe(|recorder, audience| recorder.ended(record, close, audience));
        }
    }

    /// Gives the budget's permit back, and then has the budget told what became of the attempt: right after it also where
    /// giving back panics and that is not recovered, so that no other attempt's end, one that falls with it, comes between.
    pub(super) fn give_back(&mut self, slot: usize, then: impl FnOnce(&mut Self)) {
        let Some(release) = self.open(slot).take_release() else {
            return then(self);
        };
        let fence = &self.shared.fence;
        let before = self.state.running.replace((Component::Budget, 0));
        let Err(panic) = fence.hold(Component::Budget, || drop(release)) else {
            self.state.running = before;
            return then(self);
        };
        let also = fence.hold(Component::Budget, || then(self)).err();
        self.state.running = Some((Component::Budget, 0));
        let in_drop = self.late().in_drop;
        fence.let_go(first_of(Some(panic), also), in_drop);
        self.state.running = before;
    }

    /// Tells a budget how an attempt ended that it had allowed.
    fn tell_budget(&mut self, slot: usize, ending: Ending, outcome: &Outcome) {
        let plan = self.plan;
        let (kind, after_timeout) = (kind_of(slot), self.open(slot).after_timeout);
        let BoundBudget::Found { plugin, cost, .. } = plan.budget(kind) else { return };
        let _ = self.plugin(Component::Budget, |engine| {
            let now = engine.lazy_now();
            let end = AttemptEnd::new(&plan.key, engine.group(), kind, ending, outcome, &now);
            plugin.on_outcome(&end.with_cost(*cost).with_after_timeout(after_timeout));
        });
    }

    /// Whether the attempt has anything to give back or to close.
    #[inline]
    fn is_open(&self, slot: usize) -> bool {
        match slot {
            0 => self.state.primary.is_open(),
            hedge => self.state.late.as_ref().is_some_and(|late| late.hedges.is_open(hedge)),
        }
    }

    /// Whether any attempt has.
    #[inline]
    pub(crate) fn any_open(&self) -> bool {
        (0..SLOTS).any(|slot| self.is_open(slot))
    }

    /// The group is over: whatever is still open lost the race, was cut, or fell with the call.
    #[inline]
    pub(crate) fn close_group(&mut self) {
        if self.any_open() {
            self.close_open();
        }
    }

    #[inline(never)]
    fn close_open(&mut self) {
        let (ending, outcome, health) = match self.late().step {
            Step::Finish { stop: Some(StopReason::OverallTimeout) } => {
                (Ending::TimedOut, Outcome::abort(reason::OVERALL_TIMEOUT), Some(Health::Down))
            }
            Step::Finish { stop: Some(StopReason::PanicIn(component)) } => {
                (Ending::Cancelled, Outcome::abort(component.panic_reason()), Some(Health::None))
            }
            _ => (Ending::Superseded, Outcome::abort(reason::CONTEXT_CANCELED), None),
        };
        if ending == Ending::TimedOut {
            self.sample_latency();
        }
        for slot in 0..SLOTS {
            if self.is_open(slot) {
                self.close(slot, ending, &outcome, None, health);
            }
        }
    }

    /// Ends the call, and says how long it took. Observers hear it here and nowhere else.
    #[inline(always)]
    pub(crate) fn finish(
        &mut self,
        stop: Option<StopReason>,
        error: Option<&(dyn Error + 'static)>,
    ) -> Duration {
        let elapsed = if stop.is_some() { self.elapsed() } else { Duration::ZERO };
        if self.is_recorded() {
            self.tell_end(stop, error);
        }
        let fence = &self.shared.fence;
        let any_open = self.any_open();
        self.state.ended = true;
        let late = self.late();
        let disarmed = late.timer.disarm(fence).is_ok();
        late.is_over = disarmed && !any_open;
        elapsed
    }

    #[inline]
    fn elapsed(&mut self) -> Duration {
        let (started, slept) = (self.state.started, self.late().slept);
        let since = if started == NEVER { Duration::ZERO } else { self.now().since(started) };
        since.saturating_add(Duration::from_nanos(slept))
    }

    #[inline(never)]
    fn tell_end(&mut self, stop: Option<StopReason>, error: Option<&(dyn Error + 'static)>) {
        self.again().tell_end_in(stop, error);
    }

    /// The same, for where the compiler is to know the end.
    #[inline(always)]
    pub(super) fn tell_end_in(&mut self, stop: Option<StopReason>, error: Option<&(dyn Error + 'static)>) {
        let now = self.now();
        self.state.ended = true;
        let cause = self.state.late.as_ref().and_then(|late| late.cause.clone());
        let cause = cause.as_deref().map(|cause| cause as &dyn Error);
        let error = error.map(|error| error as &dyn Error);
        self.observe(|recorder, audience| recorder.finish(stop, cause, error, now, audience));
    }

    /// The call was dropped, or something unwinds through it: gives everything back and tells the one end.
    #[cold]
    pub(super) fn give_up(&mut self) {
        let fence = &self.shared.fence;
        let late = self.late();
        late.in_drop = true;
        let _ = late.timer.disarm(fence);
        self.state.is_fresh = false;
        let ended = self.state.ended;
        if ended && !self.any_open() {
            return;
        }
        let clock_unwinds = self.foreign_clock().is_some_and(CallClock::unwinds);
        if self.foreign_clock().is_some() {
            // Read here, where its panic is caught: the plugins that are told below find it read.
            self.now();
        }
        let panicked = clock_unwinds.then_some((Component::Clock, 0)).or(self.state.running.take());
        for slot in 0..SLOTS {
            if self.is_open(slot) && self.open(slot).telling && !clock_unwinds {
                // A breaker that panicked while it was told has been told.
                self.open(slot).ticket = None;
            }
        }
        if panicked.is_none() && self.any_open() {
            self.sample_latency();
        }
        for slot in 0..SLOTS {
            if !self.is_open(slot) {
                continue;
            }
            if !self.open(slot).is_launched() {
                self.never_sent(slot);
                continue;
            }
            let (ending, reason, health) = match panicked {
                Some((Component::Operation, at)) if usize::from(at) == slot => {
                    (Ending::Panicked, reason::PANIC_IN_OPERATION, Some(Health::None))
                }
                Some(_) => (Ending::Cancelled, reason::CONTEXT_CANCELED, Some(Health::None)),
                None => (Ending::Cancelled, reason::CONTEXT_CANCELED, None),
            };
            self.close(slot, ending, &Outcome::abort(reason), None, health);
        }
        if ended {
            return;
        }
        // A plugin that unwound through `close` has left its attempt's record open.
        let now = self.now();
        self.observe(|recorder, audience| recorder.cancel_open(now, audience));
        let stop =
            panicked.map_or(StopReason::ContextCanceled, |(component, _)| StopReason::PanicIn(component));
        self.finish(Some(stop), None);
    }
}
