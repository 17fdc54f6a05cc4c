//! What an attempt needs before it may start: the breaker's admission, then the budget's permit.
//!
//! Whichever refuses second, the first is given back: a refused attempt leaves nothing behind.

use crate::call::decide::Event;
use crate::call::engine::Engine;
use crate::call::open::Open;
use crate::fence::PanicError;
use crate::plan::BoundBudget;
use recourse_core::{
    Admission, AdmissionRequest, Attempt, AttemptKind, AttemptRecord, BudgetEvent, BudgetRequest,
    CircuitState, Component, Decision, DecisionMode, Ending, Health, Label, Outcome, Rejection, StopReason,
    Ticket, Transition, reason,
};
use recourse_observe::names;
use std::sync::Arc;
use std::time::Duration;

impl Engine<'_> {
    /// Asks for one attempt. `None` where it is refused; then the next step says what follows.
    pub(crate) fn permit(&mut self, slot: usize) -> Option<Attempt> {
        let kind = if slot == 0 { AttemptKind::Retry } else { AttemptKind::Hedge };
        match self.admit(kind) {
            Ok(ticket) => {
                *self.open.at(slot) = Open::admitted(ticket);
                if slot == 0 && self.plan.rules.max_hedges > 0 && ticket.is_some_and(|ticket| ticket.probe) {
                    self.progress.stop_hedging();
                    self.recorder.note(names::HEDGING, "off_half_open");
                }
            }
            Err(rejection) => {
                self.note_rejection(&rejection);
                self.on(Event::Refused { slot, stop: circuit_stop(&rejection), for_good: false });
                return None;
            }
        }
        let Decision { allowed, reason, release, .. } = self.decide(kind);
        self.open.at(slot).hold(release);
        if !allowed {
            let mut open = self.open.take(slot);
            self.report(open.ticket.take(), Health::None);
            self.give_back(&mut open);
            self.denied(slot, &reason);
            return None;
        }
        Some(self.launch(slot, reason))
    }

    fn launch(&mut self, slot: usize, budget_reason: Label) -> Attempt {
        self.launched += 1;
        let time_left = self.time_left();
        if self.recorder.is_on() {
            let mut record = self.record(slot);
            record.budget_reason = budget_reason;
            let place = self.observe(|recorder| recorder.launched(record));
            self.open.at(slot).set_record(place);
        }
        if slot == 0 {
            self.primary_starts();
        }
        self.open.at(slot).launch();
        self.on(Event::Admitted { slot });
        #[allow(clippy::cast_possible_truncation, reason = "there are four slots")]
        Attempt::new(self.group(), slot as u32, self.plan().policy_id, time_left)
    }

    /// The smaller of the attempt's own timeout and what is left of the call.
    fn time_left(&mut self) -> Option<Duration> {
        let rules = self.plan().rules;
        let left = match self.progress.deadline() {
            Some(deadline) => Some(deadline.since(self.now())),
            None => rules.overall_timeout,
        };
        match (rules.timeout_per_attempt, left) {
            (Some(own), Some(left)) => Some(own.min(left)),
            (own, left) => own.or(left),
        }
    }

    fn record(&mut self, slot: usize) -> AttemptRecord {
        let mut record = AttemptRecord::new(self.group(), self.now());
        record.is_hedge = slot > 0;
        #[allow(clippy::cast_possible_truncation, reason = "there are four slots")]
        let hedge_index = slot as u32;
        record.hedge_index = hedge_index;
        record.backoff = if slot == 0 { self.before } else { Duration::ZERO };
        record
    }

    /// The breaker's ticket; `None` where there is no breaker, or it panicked and so admits.
    fn admit(&mut self, kind: AttemptKind) -> Result<Option<Ticket>, Rejection> {
        if self.plan.breaker.is_none() {
            return Ok(None);
        }
        let asked = self.plugin(Component::Breaker, |engine| {
            let request = AdmissionRequest::new(kind, engine.lazy_now());
            engine.plan.breaker.as_ref().map(|breaker| breaker.admit(&request))
        });
        match asked.ok().flatten() {
            Some(Admission::Admitted(ticket, transition)) => {
                self.tell_transition(transition);
                Ok(Some(ticket))
            }
            Some(Admission::Rejected(rejection)) => Err(rejection),
            _ => Ok(None),
        }
    }

    /// Tells the breaker how an admitted attempt ended.
    pub(super) fn report(&mut self, ticket: Option<Ticket>, health: Health) {
        let Some(ticket) = ticket else { return };
        let told = self.plugin(Component::Breaker, |engine| {
            engine
                .plan
                .breaker
                .as_ref()
                .and_then(|breaker| breaker.report(ticket, health, &engine.lazy_now()))
        });
        self.tell_transition(told.ok().flatten());
    }

    fn note_rejection(&mut self, rejection: &Rejection) {
        self.recorder.note(names::CIRCUIT_STATE, rejection.state.as_str());
        if rejection.reason != circuit_stop(rejection).as_str() {
            self.recorder.note(names::CIRCUIT_REASON, rejection.reason.clone());
        }
    }

    fn tell_transition(&mut self, transition: Option<Transition>) {
        if let Some(transition) = transition {
            let key = self.key().clone();
            self.observe(|recorder| recorder.transition(&key, &transition));
        }
    }

    fn budget(&self, kind: AttemptKind) -> &BoundBudget {
        match kind {
            AttemptKind::Hedge => &self.plan().hedge_budget,
            _ => &self.plan().retry_budget,
        }
    }

    fn decide(&mut self, kind: AttemptKind) -> Decision {
        let (decision, mode) = match self.budget(kind) {
            BoundBudget::None => {
                let mut decision = Decision::allow();
                decision.reason = Label::from_static(reason::NO_BUDGET);
                return decision;
            }
            BoundBudget::Missing { allow: true, .. } => unguarded(),
            BoundBudget::Missing { cause, .. } => {
                if kind == AttemptKind::Retry {
                    self.cause = Some(cause.clone());
                }
                (Decision::deny(reason::BUDGET_NOT_FOUND), DecisionMode::Deny)
            }
            BoundBudget::Found { .. } => {
                let asked =
                    self.ask_budget(kind, self.group(), |plugin, request| plugin.allow_attempt(request));
                let decision = match asked {
                    Ok(decision) => decision.unwrap_or_else(|| Decision::deny(reason::BUDGET_NIL)),
                    Err(panic) => {
                        self.cause = Some(Arc::new(panic));
                        Decision::deny(reason::PANIC_IN_BUDGET)
                    }
                };
                (decision, DecisionMode::Standard)
            }
        };
        self.tell_decision(kind, self.group(), mode, decision.allowed, &decision.reason);
        decision
    }

    /// Calls the budget of this kind, if it is there.
    fn ask_budget<R>(
        &mut self,
        kind: AttemptKind,
        attempt: u32,
        ask: impl FnOnce(&dyn recourse_core::Budget, &BudgetRequest<'_>) -> R,
    ) -> Result<Option<R>, PanicError> {
        let left = match self.progress.deadline() {
            Some(deadline) => Some(deadline.since(self.now())),
            None => self.plan().rules.overall_timeout,
        };
        self.plugin(Component::Budget, |engine| match engine.budget(kind) {
            BoundBudget::Found { plugin, cost, .. } => {
                let request = BudgetRequest::new(engine.key(), attempt, kind, engine.lazy_now());
                Some(ask(&**plugin, &request.with_cost(*cost).with_time_left(left)))
            }
            _ => None,
        })
    }

    fn tell_decision(
        &mut self,
        kind: AttemptKind,
        attempt: u32,
        mode: DecisionMode,
        allowed: bool,
        reason: &Label,
    ) {
        if !self.recorder.has_observers() {
            return;
        }
        let (name, cost) = match self.budget(kind) {
            BoundBudget::Found { name, cost, .. } | BoundBudget::Missing { name, cost, .. } => {
                (name.clone(), *cost)
            }
            BoundBudget::None => (Label::EMPTY, 0),
        };
        let mut event = BudgetEvent::new(self.key().clone(), attempt, kind, name);
        (event.cost, event.mode, event.allowed, event.reason) = (cost, mode, allowed, reason.clone());
        self.observe(|recorder| recorder.budget(&event));
    }

    /// Records a denied attempt and says what follows from it.
    fn denied(&mut self, slot: usize, reason: &Label) {
        if self.recorder.is_on() {
            let record = denied(self.record(slot), reason);
            self.observe(|recorder| recorder.denied(record));
        }
        // A missing budget stays missing for the whole group: one record of it is enough.
        let for_good = *reason == reason::BUDGET_NOT_FOUND;
        self.on(Event::Refused { slot, stop: budget_stop(reason), for_good });
    }

    /// Whether breaker or budget are sure to refuse the attempt behind this wait. Takes nothing.
    pub(super) fn peek(&mut self, wait: Duration) -> Option<StopReason> {
        if self.plan.breaker.is_some() {
            let asked = self.plugin(Component::Breaker, |engine| {
                engine
                    .plan
                    .breaker
                    .as_ref()
                    .and_then(|breaker| breaker.would_reject(&engine.lazy_now(), wait))
            });
            if let Some(rejection) = asked.ok().flatten() {
                self.note_rejection(&rejection);
                return Some(circuit_stop(&rejection));
            }
        }
        let (kind, next) = (AttemptKind::Retry, self.group() + 1);
        let asked = self.ask_budget(kind, next, |plugin, request| plugin.would_deny(request));
        let reason = asked.ok().flatten().flatten()?;
        let reason = if reason.is_empty() { Label::from_static(reason::BUDGET_DENIED) } else { reason };
        self.tell_decision(kind, next, DecisionMode::Standard, false, &reason);
        if self.recorder.is_on() {
            let record = denied(AttemptRecord::new(next, self.now()), &reason);
            self.observe(|recorder| recorder.denied(record));
        }
        Some(budget_stop(&reason))
    }
}

/// What stands in for a missing budget that does not deny.
fn unguarded() -> (Decision, DecisionMode) {
    let mut decision = Decision::allow();
    decision.reason = Label::from_static(reason::BUDGET_NOT_FOUND);
    (decision, DecisionMode::AllowUnsafe)
}

fn denied(mut record: AttemptRecord, reason: &Label) -> AttemptRecord {
    record.ending = Ending::Denied;
    record.outcome = Outcome::abort(reason.clone());
    record.budget_allowed = false;
    record.budget_reason = reason.clone();
    record
}

fn budget_stop(reason: &Label) -> StopReason {
    match reason.as_str() {
        reason::BUDGET_NOT_FOUND => StopReason::BudgetNotFound,
        reason::PANIC_IN_BUDGET => StopReason::PanicIn(Component::Budget),
        _ => StopReason::BudgetDenied,
    }
}

fn circuit_stop(rejection: &Rejection) -> StopReason {
    match rejection.state {
        CircuitState::HalfOpen => StopReason::CircuitHalfOpenProbeLimit,
        _ => StopReason::CircuitOpen,
    }
}
