//! [`Moody`]: a plugin that panics now and then, before it does what the one inside does.

use crate::mood::Mood;
use recourse::{
    Admission, AdmissionRequest, AttemptEnd, AttemptRecord, AttemptResult, BreakerFactory, BreakerSettings,
    Budget, BudgetEvent, BudgetRequest, CallStart, CircuitBreaker, CircuitMode, CircuitState, CircuitStatus,
    Classifier, Component, Decision, Health, HedgeDecision, HedgeState, HedgeTrigger, Key, Label, ModeChange,
    Now, Observer, Outcome, Rejection, Ticket, Timeline, Transition,
};
use std::sync::Arc;
use std::time::Duration;

pub(crate) struct Moody<P: ?Sized> {
    mood: Mood,
    plugin: Arc<P>,
}

impl<P: ?Sized> Moody<P> {
    pub(crate) fn new(mood: &Mood, plugin: Arc<P>) -> Self {
        Moody { mood: mood.clone(), plugin }
    }
}

impl<P: Classifier + ?Sized> Classifier for Moody<P> {
    fn classify(&self, result: &AttemptResult<'_>) -> Outcome {
        self.mood.swings(Component::Classifier);
        self.plugin.classify(result)
    }
    fn judges_values(&self) -> bool {
        self.mood.swings(Component::Classifier);
        self.plugin.judges_values()
    }
}

impl<P: Budget + ?Sized> Budget for Moody<P> {
    fn allow_attempt(&self, request: &BudgetRequest<'_>) -> Decision {
        self.mood.swings(Component::Budget);
        let mut decision = self.plugin.allow_attempt(request);
        let (mood, release) = (self.mood.clone(), decision.release.take());
        match decision.allowed {
            true => decision.with_release(move || {
                drop(release);
                mood.swings(Component::Budget);
            }),
            false => decision,
        }
    }
    fn would_deny(&self, request: &BudgetRequest<'_>) -> Option<Label> {
        self.mood.swings(Component::Budget);
        self.plugin.would_deny(request)
    }
    fn refund(&self, request: &BudgetRequest<'_>) {
        self.plugin.refund(request);
        self.mood.swings(Component::Budget);
    }
    fn on_outcome(&self, end: &AttemptEnd<'_>) {
        self.plugin.on_outcome(end);
        self.mood.swings(Component::Budget);
    }
    fn wants_outcomes(&self) -> bool {
        self.plugin.wants_outcomes()
    }
    fn wants_first_attempts(&self) -> bool {
        self.plugin.wants_first_attempts()
    }
}

impl<P: HedgeTrigger + ?Sized> HedgeTrigger for Moody<P> {
    fn should_spawn_hedge(&self, state: &HedgeState) -> HedgeDecision {
        self.mood.swings(Component::Trigger);
        self.plugin.should_spawn_hedge(state)
    }
    fn wants_latency(&self) -> bool {
        self.mood.swings(Component::Trigger);
        self.plugin.wants_latency()
    }
    fn wants_failures(&self) -> bool {
        self.mood.swings(Component::Trigger);
        self.plugin.wants_failures()
    }
}

impl<P: BreakerFactory + ?Sized> BreakerFactory for Moody<P> {
    fn breaker(&self, key: &Key, settings: &BreakerSettings) -> Arc<dyn CircuitBreaker> {
        self.mood.swings(Component::Breaker);
        Arc::new(MoodyBreaker { mood: self.mood.clone(), breaker: self.plugin.breaker(key, settings) })
    }

    fn max_threshold(&self) -> u32 {
        self.plugin.max_threshold()
    }
}

/// The executor's own breakers never stand behind this: they are trusted.
struct MoodyBreaker {
    mood: Mood,
    breaker: Arc<dyn CircuitBreaker>,
}

impl CircuitBreaker for MoodyBreaker {
    fn admit(&self, request: &AdmissionRequest<'_>) -> Admission {
        self.mood.swings(Component::Breaker);
        self.breaker.admit(request)
    }
    fn report(&self, ticket: Ticket, health: Health, now: &Now<'_>) -> Option<Transition> {
        let moved = self.breaker.report(ticket, health, now);
        self.mood.swings(Component::Breaker);
        moved
    }
    fn abandon(&self, ticket: Ticket, now: &Now<'_>) -> Option<Transition> {
        let moved = self.breaker.abandon(ticket, now);
        self.mood.swings(Component::Breaker);
        moved
    }
    fn state(&self) -> CircuitState {
        self.breaker.state()
    }
    fn would_reject(&self, now: &Now<'_>, wait: Duration) -> Option<Rejection> {
        self.mood.swings(Component::Breaker);
        self.breaker.would_reject(now, wait)
    }
    fn reconfigure(&self, settings: &BreakerSettings) {
        self.breaker.reconfigure(settings);
        self.mood.swings(Component::Breaker);
    }
    fn status(&self, now: &Now<'_>) -> CircuitStatus {
        self.breaker.status(now)
    }
    fn set_mode(&self, mode: CircuitMode) -> bool {
        self.breaker.set_mode(mode)
    }
    fn change_mode(&self, mode: CircuitMode, now: &Now<'_>) -> ModeChange {
        self.breaker.change_mode(mode, now)
    }
}

/// Hears everything and panics now and then.
pub(crate) struct MoodyObserver(pub(crate) Mood);

impl Observer for MoodyObserver {
    fn on_start(&self, _: &CallStart<'_>) {
        self.0.swings(Component::Observer);
    }
    fn on_attempt(&self, _: &Key, _: &AttemptRecord) {
        self.0.swings(Component::Observer);
    }
    fn on_hedge_spawn(&self, _: &Key, _: &AttemptRecord) {
        self.0.swings(Component::Observer);
    }
    fn on_hedge_cancel(&self, _: &Key, _: &AttemptRecord, _: &str) {
        self.0.swings(Component::Observer);
    }
    fn on_budget_decision(&self, _: &BudgetEvent) {
        self.0.swings(Component::Observer);
    }
    fn on_circuit_transition(&self, _: &Key, _: &Transition) {
        self.0.swings(Component::Observer);
    }
    fn on_state_capped(&self, _: &Key) {
        self.0.swings(Component::Observer);
    }
    fn on_success(&self, _: &Timeline) {
        self.0.swings(Component::Observer);
    }
    fn on_failure(&self, _: &Timeline) {
        self.0.swings(Component::Observer);
    }
}
