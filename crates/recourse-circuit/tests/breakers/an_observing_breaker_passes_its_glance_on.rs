//! A breaker that only observes shows what the one inside it shows, as long as that rejects nothing.

use crate::by_hand::at;
use recourse_circuit::{ConsecutiveFailures, Observing};
use recourse_core::{
    Admission, AdmissionRequest, AttemptKind, BreakerFactory, BreakerSettings, CircuitBreaker, CircuitState,
    Glance, Health, Key, Now, Rejection, Ticket, Transition,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

static KEY: Key = Key::from_static("a.b");

/// Opens at the first failure, for good; has no modes, and shows what it would answer.
#[derive(Default)]
struct Fuse(AtomicBool, Arc<Glance>);

impl CircuitBreaker for Fuse {
    fn admit(&self, _: &AdmissionRequest<'_>) -> Admission {
        match self.state() {
            CircuitState::Open => Admission::Rejected(Rejection::new(CircuitState::Open, "blown")),
            _ => Admission::Admitted(Ticket::normal(3), None),
        }
    }
    fn report(&self, _: Ticket, health: Health, _: &Now<'_>) -> Option<Transition> {
        if health == Health::Down {
            self.0.store(true, Relaxed);
            self.1.show_nothing();
        }
        None
    }
    fn state(&self) -> CircuitState {
        if self.0.load(Relaxed) { CircuitState::Open } else { CircuitState::Closed }
    }
    fn glance(&self) -> Option<Arc<Glance>> {
        Some(self.1.clone())
    }
}

#[test]
fn an_observing_breaker_shows_that_it_is_closed_and_nothing_once_it_would_reject() {
    let fuse = |_: &Key, _: &BreakerSettings| {
        let fuse = Fuse::default();
        fuse.1.show_healthy(3);
        Arc::new(fuse) as Arc<dyn CircuitBreaker>
    };
    let settings = BreakerSettings::new(1, Duration::from_secs(1));
    let row = ConsecutiveFailures::new().build().expect("in range");
    for breaker in
        [Observing::new(row).breaker(&KEY, &settings), Observing::new(fuse).breaker(&KEY, &settings)]
    {
        let (glance, now) = (breaker.glance().expect("it passes one on"), Now::at(at(0)));
        let request = AdmissionRequest::new(AttemptKind::Retry, Now::at(at(0)));
        let shown = glance.look();
        let ticket = Ticket::normal(shown.generation());
        assert!(shown.admits() && shown.ignores_success());
        assert_eq!(breaker.admit(&request), Admission::Admitted(ticket, None));
        breaker.report(ticket, Health::Down, &now);
        assert_eq!(glance.look(), Glance::new().look());
        // What it lets through now it counts as rejected, for which it has to be asked.
        let Admission::Admitted(ticket, None) = breaker.admit(&request) else { panic!("it rejects") };
        assert!(ticket.observed_rejection);
        assert_eq!(breaker.status(&now).observed_rejections, 1);
    }
}
