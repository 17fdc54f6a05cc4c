//! [`Observing`]: breakers that count and decide, and reject nothing.

use recourse_core::{
    Admission, AdmissionRequest, BreakerFactory, BreakerSettings, CircuitBreaker, CircuitMode, CircuitState,
    CircuitStatus, Health, Key, Now, Ticket, Transition,
};
use std::sync::Arc;
use std::time::Duration;

/// Breakers of any kind that open and close, tell of it, and let every attempt through: a circuit is rolled out switched
/// off, then observing, then enforcing.
///
/// A breaker that has [`CircuitMode::Observing`] is set to it when it is made, and can be set to another mode later. One
/// that has no modes admits in its place what it would have rejected, and doesn't hear of that.
///
/// ```
/// use recourse_circuit::{Observing, consecutive_failures};
/// use recourse_core::{BreakerFactory, BreakerSettings, CircuitMode, Key, Moment, Now, Registry};
/// use std::time::Duration;
///
/// let breakers = Registry::<dyn BreakerFactory>::new();
/// breakers.register("watched", Observing::new(consecutive_failures))?;
/// let settings = BreakerSettings::new(5, Duration::from_secs(10));
/// let breaker = Observing::new(consecutive_failures).breaker(&Key::from_static("svc.op"), &settings);
/// assert_eq!(breaker.status(&Now::at(Moment::ZERO)).mode, CircuitMode::Observing);
/// # Ok::<(), recourse_core::RegistryError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Observing<F> {
    inner: F,
}

impl<F: BreakerFactory> Observing<F> {
    /// The breakers of this kind, observing.
    #[must_use]
    pub fn new(inner: F) -> Self {
        Observing { inner }
    }
}

impl<F: BreakerFactory> BreakerFactory for Observing<F> {
    fn breaker(&self, key: &Key, settings: &BreakerSettings) -> Arc<dyn CircuitBreaker> {
        let breaker = self.inner.breaker(key, settings);
        match breaker.set_mode(CircuitMode::Observing) {
            true => breaker,
            false => Arc::new(Lenient(breaker)),
        }
    }
}

/// A breaker without modes.
struct Lenient(Arc<dyn CircuitBreaker>);

/// The ticket of an attempt that the breaker would have rejected.
const UNHEARD: Ticket = Ticket::normal(u64::MAX);

impl CircuitBreaker for Lenient {
    fn admit(&self, request: &AdmissionRequest<'_>) -> Admission {
        match self.0.admit(request) {
            Admission::Rejected(_) => Admission::Admitted(UNHEARD, None),
            admission => admission,
        }
    }

    fn report(&self, ticket: Ticket, health: Health, now: &Now<'_>) -> Option<Transition> {
        if ticket == UNHEARD { None } else { self.0.report(ticket, health, now) }
    }

    fn abandon(&self, ticket: Ticket, now: &Now<'_>) -> Option<Transition> {
        if ticket == UNHEARD { None } else { self.0.abandon(ticket, now) }
    }

    fn state(&self) -> CircuitState {
        self.0.state()
    }

    fn would_reject(&self, _: &Now<'_>, _: Duration) -> Option<recourse_core::Rejection> {
        None
    }

    fn reconfigure(&self, settings: &BreakerSettings) {
        self.0.reconfigure(settings);
    }

    fn status(&self, now: &Now<'_>) -> CircuitStatus {
        let mut status = self.0.status(now);
        status.mode = CircuitMode::Observing;
        status
    }
}

#[cfg(all(test, not(recourse_loom)))]
mod tests {
    use super::*;
    use crate::consecutive_failures;
    use recourse_core::{AttemptKind, Moment, Rejection};
    use std::sync::atomic::{AtomicBool, Ordering};

    static KEY: Key = Key::from_static("svc.op");
    const SETTINGS: BreakerSettings = BreakerSettings::new(1, Duration::from_secs(1));

    /// Opens at the first failure, for good, and has no modes.
    #[derive(Default)]
    struct Fuse(AtomicBool);

    impl CircuitBreaker for Fuse {
        fn admit(&self, _: &AdmissionRequest<'_>) -> Admission {
            match self.state() {
                CircuitState::Open => Admission::Rejected(Rejection::new(CircuitState::Open, "blown")),
                _ => Admission::Admitted(Ticket::normal(0), None),
            }
        }
        fn report(&self, _: Ticket, health: Health, _: &Now<'_>) -> Option<Transition> {
            if health == Health::Down {
                self.0.store(true, Ordering::Relaxed);
            }
            None
        }
        fn state(&self) -> CircuitState {
            if self.0.load(Ordering::Relaxed) { CircuitState::Open } else { CircuitState::Closed }
        }
    }

    #[test]
    fn an_open_circuit_is_told_and_rejects_nothing_with_modes_or_without() {
        let fuse = |_: &Key, _: &BreakerSettings| Arc::new(Fuse::default()) as Arc<dyn CircuitBreaker>;
        let breakers = [
            Observing::new(consecutive_failures).breaker(&KEY, &SETTINGS),
            Observing::new(fuse).breaker(&KEY, &SETTINGS),
        ];
        for breaker in breakers {
            let now = || Now::at(Moment::ZERO);
            for _ in 0..5 {
                let request = AdmissionRequest::new(AttemptKind::Retry, now());
                let Admission::Admitted(ticket, _) = breaker.admit(&request) else { panic!("it rejects") };
                breaker.report(ticket, Health::Down, &now());
            }
            assert_eq!(breaker.state(), CircuitState::Open);
            assert_eq!(breaker.status(&now()).mode, CircuitMode::Observing);
            assert_eq!(breaker.would_reject(&now(), Duration::ZERO), None);
        }
    }
}
