//! What an attempt needs before it may start: the breaker's admission, then the budget's permit.
//!
//! Whichever refuses second, the first is given back: a refused attempt leaves nothing behind.

use crate::call::decide::Event;
use crate::call::engine::Engine;
use crate::call::open::{Open, hedge_index, kind_of};
use crate::call::pass::apart;
use crate::plan::{BoundBreaker, BoundBudget};
use recourse_core::{
    Admission, Attempt, AttemptKind, AttemptRecord, CircuitState, Component, Decision, DecisionMode, Ending,
    Health, Label, Moment, Outcome, Rejection, StopReason, reason,
};
use recourse_observe::names;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

impl Engine<'_, '_> {
    /// Asks for the first attempt of an early call; `admission` is what its breaker has said already.
    #[inline]
    pub(crate) fn first_permit(&mut self, admission: Option<Admission>) -> bool {
        match admission {
            None => self.permit(0),
            admission => self.admitted(admission, 0) && self.permit_admitted(0),
        }
    }

    /// Asks for one attempt: true where it is launched. Where it is refused, the next step says what follows.
    #[inline(always)]
    pub(crate) fn permit(&mut self, slot: usize) -> bool {
        match &self.plan.breaker {
            Some(breaker) if !self.passes_breaker(breaker, slot, kind_of(slot)) => false,
            _ => self.permit_admitted(slot),
        }
    }

    /// The breaker has admitted it, or there is none.
    #[inline(always)]
    fn permit_admitted(&mut self, slot: usize) -> bool {
        match (self.is_budgeted(kind_of(slot)), slot) {
            (false, _) => self.launch(slot, || Label::from_static(reason::NO_BUDGET)),
            (true, 0) => self.again().ask_and_launch_primary(),
            (true, hedge) => self.again().ask_and_launch_hedge(hedge),
        }
    }

    /// Apart from the hedges, so that most of the looks at the slot are spared.
    #[inline(never)]
    fn ask_and_launch_primary(&mut self) -> bool {
        self.again().ask_and_launch(0, AttemptKind::Retry)
    }

    #[inline(never)]
    fn ask_and_launch_hedge(&mut self, slot: usize) -> bool {
        self.again().ask_and_launch(slot, AttemptKind::Hedge)
    }

    /// Starts an attempt that its budget allows for this reason. A clock that breaks stops it.
    #[inline(always)]
    fn launch(&mut self, slot: usize, budget_reason: impl FnOnce() -> Label) -> bool {
        if !self.is_early() {
            return self.launch_late(slot, budget_reason);
        }
        if self.is_recorded() {
            self.again().record_launch(0, budget_reason());
        }
        if self.plan.latency.is_some() {
            self.state.group_started = self.now();
        }
        self.state.primary.launch();
        true
    }

    /// The attempt that was launched just now.
    #[inline(always)]
    pub(crate) fn attempt(&self, slot: usize) -> Attempt {
        let (plan, nesting) = (self.plan, self.nesting());
        if self.is_early() {
            return plan.first_attempt(nesting);
        }
        // The clock was read when the wait before it was over, or when the trigger was asked.
        let left = plan.rules.time_left(self.left_at_floor());
        Attempt::new(self.group(), hedge_index(slot), plan.start.policy_id, left)
            .with_may_be_retried(nesting.is_retried())
    }

    /// Whether a budget has to do with the attempt. Where nobody is told of its decision, one that spares first attempts
    /// has not.
    #[inline]
    fn is_budgeted(&self, kind: AttemptKind) -> bool {
        match self.is_early() && !self.is_recorded() {
            true => self.plan.budgets_first,
            false => !matches!(self.plan.budget(kind), BoundBudget::None),
        }
    }

    /// The attempt's place among those in flight.
    #[inline]
    pub(super) fn open(&mut self, slot: usize) -> &mut Open {
        match slot {
            0 => &mut self.state.primary,
            hedge => self.late().hedges.at(hedge),
        }
    }

    /// Whether the breaker admits the attempt; then its ticket is kept.
    #[inline]
    fn passes_breaker(&mut self, breaker: &BoundBreaker, slot: usize, kind: AttemptKind) -> bool {
        if let Some(ticket) = breaker.admits() {
            self.open(slot).ticket = Some(ticket);
            return true;
        }
        if !self.trusts(breaker) {
            let admission = self.plugin(Component::Breaker, |engine| engine.admission(breaker, kind)).ok();
            return self.again().admitted(admission, slot);
        }
        let admission = self.admission(breaker, kind);
        match &admission {
            Admission::Admitted(ticket, None) if !ticket.probe && !ticket.observed_rejection => {
                self.open(slot).ticket = Some(apart(ticket));
                true
            }
            _ => self.again().admitted(Some(admission), slot),
        }
    }

    /// What an admission comes to that isn't the usual one; `None` where the breaker panicked and so admits.
    #[cold]
    fn admitted(&mut self, admission: Option<Admission>, slot: usize) -> bool {
        match admission {
            _ if !self.shared.clock_trusted && self.clock_broke() => false,
            Some(Admission::Admitted(ticket, transition)) => {
                if ticket.probe {
                    // A probe is not hedged, so the call has something to decide.
                    self.late();
                }
                // Kept before anybody is told: if an observer unwinds, the ticket is still given back.
                self.open(slot).ticket = Some(ticket);
                if ticket.observed_rejection && self.is_recorded() {
                    self.note(names::CIRCUIT_OBSERVED_REJECTION, "true");
                }
                if transition.is_some() {
                    self.tell_transition(transition);
                }
                true
            }
            Some(Admission::Rejected(rejection)) => {
                self.note_rejection(&rejection);
                self.on(Event::Refused { slot, stop: circuit_stop(&rejection), for_good: false });
                false
            }
            _ => true,
        }
    }

    /// Launches the attempt if its budget allows it. Where that denies it, the breaker has its ticket back.
    #[inline(always)]
    fn ask_and_launch(&mut self, slot: usize, kind: AttemptKind) -> bool {
        let budget = self.plan.budget(kind);
        let spared = kind == AttemptKind::Retry && self.group() == 0 && budget.spares_first();
        // The budget's own decision is obeyed where it was written: it is long.
        let (mut decided, mut mode) = (None, DecisionMode::Standard);
        match budget {
            BoundBudget::Found { .. } if !spared => {
                let asked = self.ask_budget(kind, self.group(), |plugin, request| {
                    decided = Some(plugin.allow_attempt(request));
                });
                if let Err(panic) = asked {
                    self.refused_because(kind, Arc::new(panic));
                    decided = Some(Decision::deny(reason::PANIC_IN_BUDGET));
                }
            }
            _ => {
                let made;
                (made, mode) = self.unasked(kind);
                decided = Some(made);
            }
        }
        let decision = decided.get_or_insert_with(|| Decision::deny(reason::BUDGET_NIL));
        settle(decision);
        let allowed = decision.allowed;
        let (is_found, hears_ends) = match budget {
            BoundBudget::Found { hears_ends, .. } => (true, *hears_ends),
            _ => (false, false),
        };
        let after_timeout = self.follows_timeout(kind, self.group());
        let open = self.open(slot);
        // Kept before anybody is told, as the ticket is.
        if decision.release.is_some() {
            open.hold(decision.release.take());
        }
        open.charged = allowed && is_found && !spared;
        (open.heard, open.after_timeout) = (allowed && hears_ends, after_timeout);
        if !self.shared.clock_trusted && self.clock_broke() {
            self.never_sent(slot);
            return false;
        }
        if budget.is_named() && self.shared.is_watched() {
            self.tell_decision(kind, self.group(), mode, allowed, &decision.reason);
        }
        if !allowed {
            self.never_sent(slot);
            self.denied(slot, &decision.reason);
            return false;
        }
        self.launch(slot, || match budget.is_named() {
            true => mem::take(&mut decision.reason),
            false => Label::from_static(reason::NO_BUDGET),
        })
    }

    /// Gives back what was taken for an attempt that does not start, what its budget was charged included.
    #[inline(never)]
    pub(super) fn never_sent(&mut self, slot: usize) {
        self.report(slot, Some(Health::None));
        self.give_back(slot, |engine| {
            if mem::take(engine.open(slot)).charged {
                let kind = kind_of(slot);
                let _ = engine.ask_budget(kind, engine.group(), |plugin, request| plugin.refund(request));
            }
        });
    }

    #[inline(always)]
    fn launch_late(&mut self, slot: usize, budget_reason: impl FnOnce() -> Label) -> bool {
        let tells_times = self.tells_times();
        if tells_times {
            // A clock that breaks does so here: what does not start has no record and counts nowhere.
            let timed = slot == 0 && self.plan.latency.is_some();
            if timed || self.is_recorded() {
                let now = self.now();
                if timed {
                    self.state.group_started = now;
                }
            }
        }
        if !self.shared.clock_trusted && self.again().clock_broke() {
            self.again().never_sent(slot);
            return false;
        }
        if slot == 0 && self.state.primary.ticket.is_some_and(|ticket| ticket.probe) {
            self.again().unhedge_probe();
        }
        if tells_times && self.is_recorded() {
            // Before it counts as launched: where an observer unwinds here, it never was.
            self.again().record_launch(slot, budget_reason());
        }
        self.late().launched += 1;
        self.open(slot).launch();
        self.on(Event::Admitted { slot });
        true
    }

    /// A half-open circuit's probe is not hedged.
    #[cold]
    fn unhedge_probe(&mut self) {
        if self.plan.rules.max_hedges > 0 {
            self.late().progress.stop_hedging();
            self.note(names::HEDGING, "off_half_open");
        }
    }

    #[inline(never)]
    fn record_launch(&mut self, slot: usize, budget_reason: Label) {
        let (now, group) = (self.now(), self.group());
        let before = self.state.late.as_ref().map_or(0, |late| late.before);
        let place = self.observe(|recorder, audience| {
            let record = move || {
                let mut record = opened(slot, group, now, before);
                record.budget_reason = budget_reason;
                record
            };
            recorder.launched(record, audience)
        });
        self.open(slot).set_record(place);
    }

    /// What is left until the call's deadline.
    #[inline]
    pub(super) fn left_of_call(&mut self) -> Option<Duration> {
        if self.deadline().is_some() {
            self.now();
        }
        self.left_at_floor()
    }

    /// The same as of the moment that was read last.
    #[inline]
    fn left_at_floor(&self) -> Option<Duration> {
        match self.deadline() {
            Some(deadline) => Some(deadline.since(self.state.floor)),
            None => self.plan.rules.overall_timeout,
        }
    }

    #[inline]
    fn deadline(&self) -> Option<Moment> {
        self.state.late.as_ref().and_then(|late| late.progress.deadline())
    }

    /// What comes of a budget that is not asked: it is missing, or spares the first attempts of calls.
    #[inline(never)]
    fn unasked(&mut self, kind: AttemptKind) -> (Decision, DecisionMode) {
        match self.plan.budget(kind) {
            BoundBudget::Missing { allow: true, .. } => {
                let mut decision = Decision::allow();
                decision.reason = Label::from_static(reason::BUDGET_NOT_FOUND);
                (decision, DecisionMode::AllowUnsafe)
            }
            BoundBudget::Missing { cause, .. } => {
                let cause = cause.clone();
                self.refused_because(kind, cause);
                (Decision::deny(reason::BUDGET_NOT_FOUND), DecisionMode::Deny)
            }
            _ => (Decision::allow(), DecisionMode::Standard),
        }
    }

    /// Records a denied attempt and says what follows from it.
    fn denied(&mut self, slot: usize, reason: &Label) {
        if self.is_recorded() {
            let record = denied(opened(slot, self.group(), self.now(), self.late().before), reason);
            self.observe(|recorder, audience| recorder.denied(record, audience));
        }
        // A missing budget stays missing for the whole group: one record of it is enough.
        let for_good = *reason == reason::BUDGET_NOT_FOUND;
        self.on(Event::Refused { slot, stop: budget_stop(reason), for_good });
    }
}

/// What the engine obeys: an empty reason becomes the usual one.
#[inline]
fn settle(decision: &mut Decision) {
    if decision.reason.is_empty() {
        decision.reason =
            Label::from_static(if decision.allowed { reason::ALLOWED } else { reason::BUDGET_DENIED });
    }
}

/// The record of an attempt in this place of its group; `before` is the wait before the group, in nanoseconds.
#[inline]
fn opened(slot: usize, group: u32, now: Moment, before: u64) -> AttemptRecord {
    let mut record = AttemptRecord::new(group, now);
    record.is_hedge = slot > 0;
    record.hedge_index = hedge_index(slot);
    if slot == 0 && before > 0 {
        record.backoff = Duration::from_nanos(before);
    }
    record
}

pub(super) fn denied(mut record: AttemptRecord, reason: &Label) -> AttemptRecord {
    record.ending = Ending::Denied;
    record.outcome = Outcome::abort(reason.clone());
    record.budget_allowed = false;
    record.budget_reason = reason.clone();
    record
}

pub(super) fn budget_stop(reason: &Label) -> StopReason {
    match reason.as_str() {
        reason::BUDGET_NOT_FOUND => StopReason::BudgetNotFound,
        reason::PANIC_IN_BUDGET => StopReason::PanicIn(Component::Budget),
        _ => StopReason::BudgetDenied,
    }
}

pub(crate) fn circuit_stop(rejection: &Rejection) -> StopReason {
    match rejection.state {
        CircuitState::HalfOpen => StopReason::CircuitHalfOpenProbeLimit,
        _ => StopReason::CircuitOpen,
    }
}
