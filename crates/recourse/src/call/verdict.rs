//! What an [`Engine`] makes of an attempt's result.

use crate::call::decide::{Event, NEVER};
use crate::call::engine::Engine;
use recourse_core::{AttemptResult, Component, Ending, Outcome, OutcomeKind, reason};
use std::error::Error;
use std::sync::Arc;

impl Engine<'_> {
    /// An attempt has returned: judges it, gives back what it held, and says whether it decided the group at once.
    pub(crate) fn returned(&mut self, slot: usize, result: AttemptResult<'_>) -> (OutcomeKind, bool) {
        let result = result.with_idempotent(self.idempotent);
        if self.recorder.is_on() || self.plan.latency.is_some() {
            self.now();
        }
        let outcome = self.classify(&result);
        let (kind, backoff) = (outcome.kind, outcome.backoff);
        let said = outcome.reason.clone();
        if kind == OutcomeKind::Success {
            self.sample_latency();
        } else if self.started == NEVER {
            self.started = self.now();
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
            self.reason = said;
            // A panic over another attempt's result has not decided anything.
            if self.reason != reason::PANIC_IN_CLASSIFIER {
                self.cause = None;
            }
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
    pub(super) fn sample_latency(&mut self) {
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
}
