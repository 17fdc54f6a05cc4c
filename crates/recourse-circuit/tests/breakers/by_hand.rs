//! A breaker that is asked and told by hand.

use recourse_circuit::{Breakers, SettingsError};
use recourse_core::{
    Admission, AdmissionRequest, AttemptKind, BreakerSettings, CircuitBreaker, CircuitState, CircuitStatus,
    Health, Moment, Now, Ticket, Transition,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

pub(crate) const COOLDOWN: Duration = Duration::from_secs(1);

pub(crate) fn at(millis: u64) -> Moment {
    Moment::ZERO + Duration::from_millis(millis)
}

/// Moments are milliseconds.
#[derive(Clone)]
pub(crate) struct ByHand(pub(crate) Arc<dyn CircuitBreaker>, Arc<AtomicU64>);

impl ByHand {
    /// With a cooldown of a second.
    pub(crate) fn of(kind: Result<Breakers, SettingsError>, threshold: u32) -> Self {
        let settings = BreakerSettings::new(threshold, COOLDOWN);
        ByHand::new(kind.and_then(|kind| kind.one(settings)).expect("in range"))
    }

    pub(crate) fn new(breaker: Arc<dyn CircuitBreaker>) -> Self {
        ByHand(breaker, Arc::default())
    }

    /// The present moment, which is also that of the next look at the status.
    fn now(&self, millis: u64) -> Now<'static> {
        self.1.store(millis, Relaxed);
        Now::at(at(millis))
    }

    /// As of the moment that was given last.
    pub(crate) fn status(&self) -> CircuitStatus {
        self.0.status(&Now::at(at(self.1.load(Relaxed))))
    }

    pub(crate) fn ask(&self, kind: AttemptKind, millis: u64) -> Admission {
        self.0.admit(&AdmissionRequest::new(kind, self.now(millis)))
    }

    /// What a primary is given, if it is.
    pub(crate) fn admitted(&self, millis: u64) -> Option<Ticket> {
        match self.ask(AttemptKind::Retry, millis) {
            Admission::Admitted(ticket, _) => Some(ticket),
            _ => None,
        }
    }

    pub(crate) fn ticket(&self, millis: u64) -> Ticket {
        self.admitted(millis).expect("admitted")
    }

    pub(crate) fn report(&self, ticket: Ticket, millis: u64, health: Health) -> Option<Transition> {
        self.0.report(ticket, health, &self.now(millis))
    }

    pub(crate) fn abandon(&self, ticket: Ticket, millis: u64) -> Option<Transition> {
        self.0.abandon(ticket, &self.now(millis))
    }

    /// One attempt, over at once.
    pub(crate) fn vote(&self, millis: u64, health: Health) -> Option<Transition> {
        self.report(self.ticket(millis), millis, health)
    }

    pub(crate) fn votes(&self, millis: u64, count: u32, health: Health) {
        for _ in 0..count {
            self.vote(millis, health);
        }
    }

    pub(crate) fn state(&self) -> CircuitState {
        self.0.state()
    }

    /// Counted, failed and slow.
    pub(crate) fn counts(&self) -> (u64, u64, u64) {
        let status = self.status();
        (status.counted, status.failed, status.slow)
    }
}
