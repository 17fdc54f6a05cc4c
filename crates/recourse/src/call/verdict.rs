//! What an [`Engine`] makes of an attempt's result.

use crate::call::decide::Event;
use crate::call::engine::Engine;
use crate::call::state::take_label;
use recourse_core::{AttemptResult, Component, Ending, Health, Outcome, OutcomeKind, reason};
use std::error::Error;
use std::sync::Arc;

/// What is behind an attempt's end.
type Cause = Arc<dyn Error + Send + Sync>;

/// What every value of most plans is.
static SUCCESS: Outcome = Outcome::success();

/// What an attempt's result came to.
pub(crate) struct Verdict {
    pub(crate) kind: OutcomeKind,
    /// Whether it decided the group at once.
    pub(crate) decides_group: bool,
}

impl Engine<'_, '_> {
    /// Whether the first attempt's value ends an early call: every value of this plan is a success. Whoever admitted the
    /// attempt is told.
    #[inline]
    pub(crate) fn succeeds_early(&mut self) -> bool {
        if !self.is_early() || !self.plan.classifier.values_succeed {
            return false;
        }
        self.sample_latency();
        self.report(0, Some(Health::Up));
        match self.state.primary.holds_nothing() && !self.is_recorded() {
            true => self.state.primary.over(),
            false => self.again().tell_early_end(),
        }
        true
    }

    #[inline(never)]
    fn tell_early_end(&mut self) {
        let mut engine = self.again();
        engine.close_in(0, Ending::Won, &SUCCESS, None, Some(Health::Up));
        if engine.is_recorded() {
            engine.tell_end_in(None, None);
        }
    }

    /// Whether every value of this plan is a success.
    #[inline]
    pub(crate) fn values_succeed(&self) -> bool {
        self.plan.classifier.values_succeed
    }

    /// The only attempt of its group has returned a value that nobody has to judge: the call is over, and its end is told.
    #[inline(never)]
    pub(crate) fn won_alone(&mut self) {
        let mut engine = self.again();
        engine.succeed(0);
        debug_assert!(!engine.any_open(), "nothing else is in flight");
        engine.finish(None, None);
    }

    /// An attempt has returned a value that nobody has to judge.
    #[inline(never)]
    pub(crate) fn succeeded(&mut self, slot: usize) {
        self.again().succeed(slot);
    }

    #[inline(always)]
    fn succeed(&mut self, slot: usize) {
        if self.tells_times() {
            self.now();
        }
        self.again().sample_latency();
        self.close(slot, Ending::Won, &SUCCESS, None, Some(Health::Up));
        self.on(Event::Ended { slot, kind: OutcomeKind::Success, backoff: None });
    }

    /// An attempt has returned: judges it, and gives back what it held.
    #[inline(always)]
    pub(crate) fn judge(&mut self, slot: usize, result: &AttemptResult<'_>) -> Verdict {
        match slot {
            0 => self.judge_primary(result),
            hedge => self.judge_hedge(hedge, result),
        }
    }

    /// Apart from the hedges, so that the looks at the slot are spared.
    #[inline(never)]
    fn judge_primary(&mut self, result: &AttemptResult<'_>) -> Verdict {
        self.again().judge_in(0, result)
    }

    #[inline(never)]
    fn judge_hedge(&mut self, slot: usize, result: &AttemptResult<'_>) -> Verdict {
        self.again().judge_in(slot, result)
    }

    #[inline(always)]
    fn judge_in(&mut self, slot: usize, result: &AttemptResult<'_>) -> Verdict {
        if self.tells_times() {
            self.now();
        }
        let mut panicked = None;
        let plan = self.plan;
        // Our own runs no foreign code but the error's, which is the operation's.
        self.enter(slot);
        let mut outcome = match plan.classifier.trusted {
            true => plan.classifier.plugin.classify(result),
            false => self.again().classify_fenced(result, &mut panicked),
        };
        self.state.running = None;
        if outcome.kind == OutcomeKind::Success && result.timed_out() {
            // Nothing was returned that could be a success.
            outcome = Outcome::non_retryable(reason::CONTEXT_DEADLINE_EXCEEDED).with_health(Health::Down);
        }
        if let Some(notes) = &plan.classifier.fallback {
            outcome.attributes.extend(notes);
        }
        let (kind, backoff) = (outcome.kind, outcome.backoff);
        let ending = match kind {
            OutcomeKind::Success => Ending::Won,
            _ if result.timed_out() => Ending::TimedOut,
            _ => Ending::Failed,
        };
        if kind == OutcomeKind::Success {
            self.again().sample_latency();
        }
        self.late();
        let error = result.error().map(|error| error as &dyn Error);
        self.close(slot, ending, &outcome, error, Some(outcome.health));
        self.on(Event::Ended { slot, kind, backoff });
        let late = self.late();
        if kind == OutcomeKind::Success || late.progress.deciding_slot() == Some(slot) {
            let timed_out = ending == Ending::TimedOut || outcome.reason == reason::CONTEXT_DEADLINE_EXCEEDED;
            late.reason = take_label(&mut outcome.reason);
            // A panic over another attempt's result has not decided anything.
            if late.cause.is_some() || panicked.is_some() {
                late.cause = panicked;
            }
            self.state.timed_out = timed_out;
        }
        let terminal = kind != OutcomeKind::Retryable && self.plan.rules.cancel_on_first_terminal;
        Verdict { kind, decides_group: kind == OutcomeKind::Success || terminal }
    }

    /// An attempt was cut: its time is over.
    pub(crate) fn timed_out(&mut self, slot: usize) {
        let result = AttemptResult::of_timeout().with_idempotent(self.state.idempotent);
        self.judge(slot, &result);
    }

    /// The outcome; `panicked` is what the classifier panicked with.
    #[inline(never)]
    fn classify_fenced(&mut self, result: &AttemptResult<'_>, panicked: &mut Option<Cause>) -> Outcome {
        let plan = self.plan;
        match self.plugin(Component::Classifier, |_| plan.classifier.plugin.classify(result)) {
            Ok(outcome) => outcome.settled(),
            Err(panic) => {
                *panicked = Some(Arc::new(panic));
                Outcome::abort(reason::PANIC_IN_CLASSIFIER)
            }
        }
    }

    /// From the primary's start to the first acceptable result, or to the call's cancellation: one sample a call.
    #[inline]
    pub(super) fn sample_latency(&mut self) {
        let plan = self.plan;
        if let Some(latency) = &plan.latency {
            let now = self.now();
            latency.record_since(self.state.group_started, now);
        }
    }
}
