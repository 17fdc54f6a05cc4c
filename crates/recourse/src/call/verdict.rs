//! What an [`Engine`] makes of an attempt's result.

use crate::call::decide::{Event, Step};
use crate::call::engine::Engine;
use recourse_core::{AttemptResult, Component, Ending, Label, Outcome, OutcomeKind, reason};
use std::error::Error;
use std::sync::Arc;

impl Engine<'_, '_> {
    /// An attempt has returned: judges it, gives back what it held, and says whether it decided the group at once.
    #[inline]
    pub(crate) fn returned(&mut self, slot: usize, result: &AttemptResult<'_>) -> (OutcomeKind, bool) {
        let succeeded = result.is_value() && self.plan.classifier.values_succeed;
        if succeeded && slot == 0 && self.owes_nothing() {
            self.primary.over();
            self.step = Step::won(slot);
            return (OutcomeKind::Success, true);
        }
        self.judge(slot, result, succeeded)
    }

    /// Whether nobody has to be told of the primary's end, and nothing has to be given back.
    #[inline]
    fn owes_nothing(&self) -> bool {
        self.late.is_none()
            && self.primary.holds_nothing()
            && self.plan.latency.is_none()
            && !self.recorder.is_on()
    }

    #[inline(never)]
    fn judge(&mut self, slot: usize, result: &AttemptResult<'_>, succeeded: bool) -> (OutcomeKind, bool) {
        if self.recorder.is_on() || self.plan.latency.is_some() {
            self.now();
        }
        let outcome = if succeeded { Outcome::success() } else { self.classify(result) };
        let (kind, backoff, health) = (outcome.kind, outcome.backoff, outcome.health);
        let ending = match kind {
            OutcomeKind::Success => Ending::Won,
            _ if result.timed_out() => Ending::TimedOut,
            _ => Ending::Failed,
        };
        if kind == OutcomeKind::Success {
            self.sample_latency();
        }
        let said = outcome.reason.clone();
        self.close(slot, ending, outcome, result.error().map(|error| error as &dyn Error), Some(health));
        if kind == OutcomeKind::Success && self.late.is_none() {
            self.step = Step::won(slot);
        } else {
            let group = self.group();
            self.on(Event::Ended { slot, kind, backoff });
            self.remember(slot, kind, group, said);
        }
        let terminal = kind != OutcomeKind::Retryable && self.plan.rules.cancel_on_first_terminal;
        (kind, kind == OutcomeKind::Success || terminal)
    }

    /// Keeps what was said of the attempt, if it is the one that decides its group so far.
    fn remember(&mut self, slot: usize, kind: OutcomeKind, group: u32, said: Label) {
        let late = self.late();
        let decides = late.progress.group() == group && late.progress.deciding_slot() == Some(slot);
        if kind == OutcomeKind::Success || decides {
            late.reason = said;
            // A panic over another attempt's result has not decided anything.
            if late.reason != reason::PANIC_IN_CLASSIFIER {
                late.cause = None;
            }
        }
    }

    /// An attempt was cut: its time is over.
    pub(crate) fn timed_out(&mut self, slot: usize) {
        let result = AttemptResult::of_timeout().with_idempotent(self.idempotent);
        self.judge(slot, &result, false);
    }

    fn classify(&mut self, result: &AttemptResult<'_>) -> Outcome {
        let plan = self.plan;
        if plan.classifier.trusted && plan.classifier.fallback.is_none() {
            return plan.classifier.plugin.classify(result);
        }
        let judged = self.plugin(Component::Classifier, |_| plan.classifier.plugin.classify(result));
        let outcome = match judged {
            Ok(outcome) => outcome.settled(),
            Err(panic) => {
                self.late().cause = Some(Arc::new(panic));
                Outcome::abort(reason::PANIC_IN_CLASSIFIER)
            }
        };
        match &plan.classifier.fallback {
            Some(notes) => {
                let mut outcome = outcome;
                outcome.attributes.extend(notes);
                outcome
            }
            None => outcome,
        }
    }

    /// From the primary's start to the first acceptable result, or to the call's cancellation: one sample a call.
    pub(super) fn sample_latency(&mut self) {
        let plan = self.plan;
        if let Some(latency) = &plan.latency {
            let now = self.now();
            latency.record(now.since(self.group_started), now);
        }
    }
}
