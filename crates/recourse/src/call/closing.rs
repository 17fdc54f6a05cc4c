//! How an [`Engine`] ends attempts, groups and calls: everything that was taken is given back here.

use crate::call::decide::{NEVER, SLOTS, Step};
use crate::call::engine::Engine;
use crate::call::open::Open;
use crate::call::recorder::Close;
use recourse_core::{Component, Ending, Health, Outcome, StopReason, reason};
use std::error::Error;
use std::time::Duration;

impl Engine<'_> {
    /// An attempt is over: tells the breaker, gives the permit back, closes the record.
    pub(super) fn close(
        &mut self,
        slot: usize,
        ending: Ending,
        outcome: Outcome,
        error: Option<&dyn Error>,
        health: Health,
    ) {
        let mut open = self.open.take(slot);
        self.report(open.ticket.take(), health);
        self.give_back(&mut open);
        if self.recorder.is_on() {
            let at = self.now();
            self.observe(|recorder| recorder.ended(open.record(), Close { at, ending, outcome, error }));
        }
    }

    /// Gives the budget's permit back.
    pub(super) fn give_back(&mut self, open: &mut Open) {
        self.running = Some((Component::Budget, 0));
        open.release(&self.shared.fence, self.recorder.in_drop);
        self.running = None;
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
        if ending == Ending::TimedOut {
            self.sample_latency();
        }
        for slot in 0..SLOTS {
            if self.open.is_open(slot) {
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
        let elapsed = match (self.started, stop) {
            (_, None) | (NEVER, _) => Duration::ZERO,
            (started, Some(_)) => self.now().since(started),
        };
        if self.recorder.is_on() {
            let now = self.now();
            self.ended = true;
            let cause = self.cause.clone();
            let error = error.map(|error| error as &dyn Error);
            let error = error.or_else(|| cause.as_deref().map(|cause| cause as &dyn Error));
            self.observe(|recorder| recorder.finish(stop, error.filter(|_| stop.is_some()), now));
        }
        self.ended = true;
        elapsed
    }
}

impl Drop for Engine<'_> {
    /// The call was dropped, or something unwinds through it: gives everything back and tells the one end.
    fn drop(&mut self) {
        self.recorder.in_drop = true;
        let _ = self.timer.disarm(&self.shared.fence);
        if self.ended {
            return;
        }
        let clock = self.clock.unwinds().then_some((Component::Clock, 0));
        let panicked = clock.or(self.running.take());
        self.moment = NEVER;
        if panicked.is_none() && self.open.any_open() {
            self.sample_latency();
        }
        for slot in 0..SLOTS {
            if !self.open.is_open(slot) {
                continue;
            }
            let (ending, reason) = match panicked {
                Some((Component::Operation, at)) if usize::from(at) == slot => {
                    (Ending::Panicked, reason::PANIC_IN_OPERATION)
                }
                _ => (Ending::Cancelled, reason::CONTEXT_CANCELED),
            };
            self.close(slot, ending, Outcome::abort(reason), None, Health::None);
        }
        // A plugin that unwound through `close` has left its attempt's record open.
        let now = self.now();
        self.recorder.cancel_open(now);
        let stop =
            panicked.map_or(StopReason::ContextCanceled, |(component, _)| StopReason::PanicIn(component));
        self.finish(Some(stop), None);
    }
}
