//! [`Gate`]: the breaker of a row, or none.

use recourse::{
    Admission, AdmissionRequest, AttemptKind, CircuitBreaker, CircuitState, Clock, Health, Now, Rejection,
    StopReason, Ticket,
};
use std::sync::Arc;
use std::thread::panicking;
use std::time::Duration;

/// Asked before each attempt, and told after it.
pub(super) trait Gate: Send + Sync + 'static {
    /// What an admitted attempt holds.
    type Pass<'a>: Pass;

    /// Whether an attempt may start; else why its call ends.
    fn admit<'a>(&'a self, kind: AttemptKind, clock: &'a dyn Clock) -> Result<Self::Pass<'a>, StopReason>;

    /// Why an attempt that starts this late is sure to be rejected, if it is.
    fn peek(&self, now: &Now<'_>, wait: u64) -> Option<StopReason>;
}

/// What an admitted attempt holds. Dropped, it is given back without a vote.
pub(super) trait Pass: Send {
    /// Whether the circuit is half-open, and this finds out how it goes on.
    fn is_probe(&self) -> bool;

    /// The attempt has ended.
    fn vote(self, health: Health);
}

/// No breaker.
pub(super) struct Open;

impl Gate for Open {
    type Pass<'a> = ();

    #[inline]
    fn admit(&self, _: AttemptKind, _: &dyn Clock) -> Result<(), StopReason> {
        Ok(())
    }

    #[inline]
    fn peek(&self, _: &Now<'_>, _: u64) -> Option<StopReason> {
        None
    }
}

impl Pass for () {
    #[inline]
    fn is_probe(&self) -> bool {
        false
    }

    #[inline]
    fn vote(self, _: Health) {}
}

/// The breaker of the row's key.
pub(super) struct Guarded(pub(super) Arc<dyn CircuitBreaker>);

impl Gate for Guarded {
    type Pass<'a> = Admitted<'a>;

    #[inline]
    fn admit<'a>(&'a self, kind: AttemptKind, clock: &'a dyn Clock) -> Result<Admitted<'a>, StopReason> {
        let breaker = &*self.0;
        match breaker.admit(&AdmissionRequest::new(kind, Now::of(clock))) {
            Admission::Admitted(ticket, _) => Ok(Admitted { breaker, clock, ticket: Some(ticket) }),
            Admission::Rejected(rejection) => Err(stop(&rejection)),
            _ => Err(StopReason::CircuitOpen),
        }
    }

    #[inline]
    fn peek(&self, now: &Now<'_>, wait: u64) -> Option<StopReason> {
        self.0.would_reject(now, Duration::from_nanos(wait)).map(|rejection| stop(&rejection))
    }
}

/// A ticket that has not been used.
pub(super) struct Admitted<'a> {
    breaker: &'a dyn CircuitBreaker,
    clock: &'a dyn Clock,
    ticket: Option<Ticket>,
}

impl Pass for Admitted<'_> {
    #[inline]
    fn is_probe(&self) -> bool {
        self.ticket.is_some_and(|ticket| ticket.probe)
    }

    #[inline]
    fn vote(mut self, health: Health) {
        if let Some(ticket) = self.ticket.take() {
            // Nobody observes: a change of state is nobody's to hear.
            drop(self.breaker.report(ticket, health, &Now::of(self.clock)));
        }
    }
}

impl Drop for Admitted<'_> {
    #[inline]
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let now = Now::of(self.clock);
        drop(match panicking() {
            true => self.breaker.report(ticket, Health::None, &now),
            false => self.breaker.abandon(ticket, &now),
        });
    }
}

fn stop(rejection: &Rejection) -> StopReason {
    match rejection.state {
        CircuitState::HalfOpen => StopReason::CircuitHalfOpenProbeLimit,
        _ => StopReason::CircuitOpen,
    }
}
