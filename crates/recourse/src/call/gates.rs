//! What an [`Engine`] says to breaker and budget, and what it hears from them.

use crate::call::engine::Engine;
use crate::call::permit::{budget_stop, circuit_stop, denied};
use crate::fence::PanicError;
use crate::plan::{BoundBreaker, BoundBudget};
use recourse_core::{
    Admission, AdmissionRequest, AttemptKind, AttemptRecord, BudgetEvent, BudgetRequest, Component,
    DecisionMode, Health, Label, Now, Rejection, StopReason, Ticket, Transition, reason,
};
use recourse_observe::names;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

impl Engine<'_, '_> {
    /// The breaker's answer.
    #[inline]
    pub(super) fn admission(&self, breaker: &BoundBreaker, kind: AttemptKind) -> Admission {
        breaker.plugin.admit(&AdmissionRequest::new(kind, self.lazy_now()))
    }

    /// One of our own, asked by our own clock, doesn't panic.
    #[inline]
    pub(super) fn trusts(&self, breaker: &BoundBreaker) -> bool {
        breaker.trusted && self.shared.clock_trusted
    }

    /// Tells the breaker how an admitted attempt ended; without a vote it was given up.
    #[inline]
    pub(super) fn report(&mut self, slot: usize, health: Option<Health>) {
        let plan = self.plan;
        let (Some(ticket), Some(breaker)) = (self.open(slot).ticket, &plan.breaker) else {
            return;
        };
        if health == Some(Health::Up) && breaker.ignores_success() {
            self.open(slot).ticket = None;
            return;
        }
        let tell = |engine: &Self| match health {
            Some(health) => breaker.plugin.report(ticket, health, &engine.lazy_now()),
            None => breaker.plugin.abandon(ticket, &engine.lazy_now()),
        };
        if !self.trusts(breaker) {
            return self.report_fenced(slot, breaker, ticket, tell);
        }
        let transition = tell(self);
        self.open(slot).ticket = None;
        if transition.is_some() {
            self.tell_transition(transition);
        }
    }

    /// The same to a breaker that may panic, or may read a clock that does.
    #[inline(never)]
    fn report_fenced(
        &mut self,
        slot: usize,
        breaker: &BoundBreaker,
        ticket: Ticket,
        tell: impl FnOnce(&Self) -> Option<Transition>,
    ) {
        self.open(slot).telling = true;
        let told = self.plugin(Component::Breaker, tell);
        if told.as_ref().is_err_and(|panic| panic.component == Component::Clock) {
            // The clock panicked in the breaker's hands: it was not told, and a probe must have its slot back.
            let now = Now::at(self.state.floor);
            let told = || breaker.plugin.report(ticket, Health::None, &now);
            let _ = self.shared.fence.always(Component::Breaker, told);
        }
        // Only now: where the clock's own panic unwinds from here, the ticket is still to be given back.
        let open = self.open(slot);
        (open.ticket, open.telling) = (None, false);
        if let Ok(Some(transition)) = told {
            self.tell_transition(Some(transition));
        }
    }

    pub(super) fn note_rejection(&mut self, rejection: &Rejection) {
        if !self.is_recorded() {
            return;
        }
        self.note(names::CIRCUIT_STATE, rejection.state.as_str());
        if rejection.reason != circuit_stop(rejection).as_str() {
            self.note(names::CIRCUIT_REASON, rejection.reason.clone());
        }
    }

    #[cold]
    pub(super) fn tell_transition(&mut self, transition: Option<Transition>) {
        let Some(transition) = transition else { return };
        if self.shared.is_watched() {
            let key = &self.plan.key;
            self.observe(|_, audience| {
                audience.tell(|observer| observer.on_circuit_transition(key, &transition));
            });
        }
    }

    /// What is behind a refused primary is behind the end of the call; a refused hedge ends nothing.
    pub(super) fn refused_because(&mut self, kind: AttemptKind, cause: Arc<dyn Error + Send + Sync>) {
        if kind == AttemptKind::Retry {
            self.late().cause = Some(cause);
        }
    }

    /// Calls the budget of this kind, if it is there.
    #[inline(always)]
    pub(super) fn ask_budget<R>(
        &mut self,
        kind: AttemptKind,
        attempt: u32,
        ask: impl FnOnce(&dyn recourse_core::Budget, &BudgetRequest<'_>) -> R,
    ) -> Result<Option<R>, PanicError> {
        let left = self.left_of_call();
        if attempt > 0 || kind == AttemptKind::Hedge {
            // Built-in budgets want the time for these. Read here, it is the same for the peek and the decision.
            self.now();
        }
        self.plugin(Component::Budget, |engine| match engine.plan.budget(kind) {
            BoundBudget::Found { plugin, cost, .. } => {
                let request = BudgetRequest::new(engine.key(), attempt, kind, engine.lazy_now());
                let request = request.with_after_timeout(engine.follows_timeout(kind, attempt));
                Some(ask(&**plugin, &request.with_cost(*cost).with_time_left(left)))
            }
            _ => None,
        })
    }

    /// Whether an attempt that has not started is a retry of one that timed out.
    #[inline]
    pub(super) fn follows_timeout(&self, kind: AttemptKind, attempt: u32) -> bool {
        kind == AttemptKind::Retry && attempt > 0 && self.state.timed_out
    }

    pub(super) fn tell_decision(
        &mut self,
        kind: AttemptKind,
        attempt: u32,
        mode: DecisionMode,
        allowed: bool,
        reason: &Label,
    ) {
        let (name, cost) = match self.plan.budget(kind) {
            BoundBudget::Found { name, cost, .. } | BoundBudget::Missing { name, cost, .. } => {
                (name.clone(), *cost)
            }
            BoundBudget::None => (Label::EMPTY, 0),
        };
        let mut event = BudgetEvent::new(self.key().clone(), attempt, kind, name);
        (event.cost, event.mode, event.allowed, event.reason) = (cost, mode, allowed, reason.clone());
        self.observe(|_, audience| audience.tell(|observer| observer.on_budget_decision(&event)));
    }

    /// Whether breaker or budget are sure to refuse the attempt behind this wait. Takes nothing.
    #[inline(never)]
    pub(super) fn peek(&mut self, wait: Duration) -> Option<StopReason> {
        let plan = self.plan;
        if let Some(breaker) = &plan.breaker {
            let ask = |engine: &Self| breaker.plugin.would_reject(&engine.lazy_now(), wait);
            let asked = match self.trusts(breaker) {
                true => Ok(ask(self)),
                false => self.plugin(Component::Breaker, ask),
            };
            if let Some(rejection) = asked.ok().flatten() {
                self.note_rejection(&rejection);
                return Some(circuit_stop(&rejection));
            }
        }
        if !matches!(plan.retry_budget, BoundBudget::Found { .. }) {
            return None;
        }
        let (kind, next) = (AttemptKind::Retry, self.group() + 1);
        let asked = self.ask_budget(kind, next, |plugin, request| plugin.would_deny(request));
        let reason = match asked {
            Ok(reason) => reason.flatten()?,
            Err(panic) => {
                self.refused_because(kind, Arc::new(panic));
                Label::from_static(reason::PANIC_IN_BUDGET)
            }
        };
        let reason = if reason.is_empty() { Label::from_static(reason::BUDGET_DENIED) } else { reason };
        if self.shared.is_watched() {
            self.tell_decision(kind, next, DecisionMode::Standard, false, &reason);
        }
        if self.is_recorded() {
            let record = denied(AttemptRecord::new(next, self.now()), &reason);
            self.observe(|recorder, audience| recorder.denied(record, audience));
        }
        Some(budget_stop(&reason))
    }
}
