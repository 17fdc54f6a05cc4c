//! [`Observing`]: breakers that count and decide, and reject nothing.

use crate::state::OBSERVED;
use recourse_core::{
    Admission, AdmissionRequest, BreakerFactory, BreakerSettings, CircuitBreaker, CircuitMode, CircuitState,
    CircuitStatus, Glance, Health, Key, Now, Ticket, Transition,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Breakers of any kind that open and close, tell of it, and let every attempt through: a circuit is rolled out switched
/// off, then observing, then enforcing.
///
/// What it would have rejected is told: the attempt's ticket says so
/// ([`observed_rejection`](Ticket::observed_rejection)), and the status counts it
/// ([`observed_rejections`](CircuitStatus::observed_rejections)).
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
            false => Arc::new(Lenient { breaker, observed: AtomicU64::new(0) }),
        }
    }

    fn max_threshold(&self) -> u32 {
        self.inner.max_threshold()
    }
}

/// A breaker without modes.
struct Lenient {
    breaker: Arc<dyn CircuitBreaker>,
    /// Attempts that it has rejected.
    observed: AtomicU64,
}

impl CircuitBreaker for Lenient {
    fn admit(&self, request: &AdmissionRequest<'_>) -> Admission {
        match self.breaker.admit(request) {
            Admission::Rejected(_) => {
                self.observed.fetch_add(1, Relaxed);
                Admission::Admitted(OBSERVED, None)
            }
            admission => admission,
        }
    }

    fn report(&self, ticket: Ticket, health: Health, now: &Now<'_>) -> Option<Transition> {
        if ticket == OBSERVED { None } else { self.breaker.report(ticket, health, now) }
    }

    fn abandon(&self, ticket: Ticket, now: &Now<'_>) -> Option<Transition> {
        if ticket == OBSERVED { None } else { self.breaker.abandon(ticket, now) }
    }

    fn glance(&self) -> Option<Arc<Glance>> {
        self.breaker.glance()
    }

    fn state(&self) -> CircuitState {
        self.breaker.state()
    }

    fn would_reject(&self, _: &Now<'_>, _: Duration) -> Option<recourse_core::Rejection> {
        None
    }

    fn reconfigure(&self, settings: &BreakerSettings) {
        self.breaker.reconfigure(settings);
    }

    fn status(&self, now: &Now<'_>) -> CircuitStatus {
        let mut status = self.breaker.status(now);
        status.mode = CircuitMode::Observing;
        status.observed_rejections = self.observed.load(Relaxed);
        status
    }
}

#[cfg(all(test, not(recourse_loom)))]
mod tests {
    use super::*;
    use crate::consecutive_failures;
    use recourse_core::{AttemptKind, Moment, Rejection};
    use std::sync::atomic::AtomicBool;

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
                self.0.store(true, Relaxed);
            }
            None
        }
        fn state(&self) -> CircuitState {
            if self.0.load(Relaxed) { CircuitState::Open } else { CircuitState::Closed }
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
            for count in 0..5 {
                let request = AdmissionRequest::new(AttemptKind::Retry, now());
                let Admission::Admitted(ticket, _) = breaker.admit(&request) else { panic!("it rejects") };
                assert_eq!(ticket.observed_rejection, count > 0, "the first of them opens it");
                assert_eq!(breaker.status(&now()).observed_rejections, count);
                breaker.report(ticket, Health::Down, &now());
            }
            assert_eq!(breaker.state(), CircuitState::Open);
            assert_eq!(breaker.status(&now()).mode, CircuitMode::Observing);
            assert_eq!(breaker.would_reject(&now(), Duration::ZERO), None);
        }
    }
}
