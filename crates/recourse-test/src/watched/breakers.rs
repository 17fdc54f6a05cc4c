//! [`WatchedBreakers`]: a kind of breaker whose admissions are counted.

use recourse_core::{
    Admission, AdmissionRequest, AttemptKind, BreakerFactory, BreakerSettings, CircuitBreaker, CircuitMode,
    CircuitState, CircuitStatus, Health, Key, ModeChange, Moment, Now, Rejection, Ticket, Transition,
};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Stands round a kind of breaker and counts what its breakers admit. Clones share the kind and the counts.
///
/// The clock is read before a breaker is told, so that one that panics does so before the telling counts.
///
/// ```
/// use recourse_core::{
///     Admission, AdmissionRequest, AttemptKind, BreakerFactory, BreakerSettings, Health, Key, Moment, Now,
/// };
/// use recourse_test::{ScriptedBreaker, WatchedBreakers};
/// use std::time::Duration;
///
/// let breakers = WatchedBreakers::new(ScriptedBreaker::admits(1));
/// let settings = BreakerSettings::new(5, Duration::from_secs(1));
/// let breaker = breakers.breaker(&Key::from_static("svc.op"), &settings);
/// let request = AdmissionRequest::new(AttemptKind::Retry, Now::at(Moment::ZERO));
///
/// let Admission::Admitted(ticket, _) = breaker.admit(&request) else { panic!("it admits everything") };
/// assert_eq!(breakers.outstanding(), 1);
/// breaker.report(ticket, Health::Up, &Now::at(Moment::ZERO));
/// breakers.assert_settled();
/// ```
#[derive(Clone)]
pub struct WatchedBreakers {
    factory: Arc<dyn BreakerFactory>,
    made: Arc<Mutex<Vec<Made>>>,
}

/// A breaker that was made, and what it has given out.
#[derive(Clone)]
struct Made {
    key: Key,
    breaker: Arc<Watched>,
}

impl WatchedBreakers {
    /// Watches the breakers that this factory makes.
    #[must_use]
    pub fn new(factory: impl BreakerFactory + 'static) -> Self {
        WatchedBreakers::shared(Arc::new(factory))
    }

    /// Watches the breakers that this shared factory makes.
    #[must_use]
    pub fn shared(factory: Arc<dyn BreakerFactory>) -> Self {
        WatchedBreakers { factory, made: Arc::default() }
    }

    /// Every breaker that was made, with the key that it was made for. What is asked or told of them is counted too.
    #[must_use]
    pub fn made(&self) -> Vec<(Key, Arc<dyn CircuitBreaker>)> {
        let watched = |made: &Made| (made.key.clone(), made.breaker.clone() as Arc<dyn CircuitBreaker>);
        self.lock().iter().map(watched).collect()
    }

    /// Admissions that were neither reported nor given up.
    #[must_use]
    pub fn outstanding(&self) -> u64 {
        self.lock().iter().map(|made| made.breaker.lock().out.values().sum::<u64>()).sum()
    }

    /// Asserts that each admission was reported or given up exactly once, that no hedge was admitted as a probe, and that
    /// no breaker says that a probe is out.
    ///
    /// # Panics
    ///
    /// If that is not so.
    #[track_caller]
    pub fn assert_settled(&self) {
        for Made { key, breaker } in self.lock().iter() {
            let counts = breaker.lock();
            let (out, faults) = (counts.out.clone(), counts.faults.clone());
            drop(counts);
            assert!(faults.is_empty(), "the breaker of {key}: {faults:#?}");
            let left: BTreeMap<_, _> = out.iter().filter(|(_, count)| **count > 0).collect();
            assert!(left.is_empty(), "the breaker of {key} was never told of admissions: {left:?}");
            let probes = breaker.inner.status(&Now::at(Moment::ZERO)).probes;
            assert!(probes == 0, "the breaker of {key} says that {probes} probe(s) are out, and none is");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Made>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BreakerFactory for WatchedBreakers {
    fn breaker(&self, key: &Key, settings: &BreakerSettings) -> Arc<dyn CircuitBreaker> {
        let inner = self.factory.breaker(key, settings);
        let breaker = Arc::new(Watched { inner, counts: Mutex::default() });
        self.lock().push(Made { key: key.clone(), breaker: breaker.clone() });
        breaker
    }

    fn max_threshold(&self) -> u32 {
        self.factory.max_threshold()
    }
}

impl fmt::Debug for WatchedBreakers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchedBreakers")
            .field("made", &self.lock().len())
            .field("outstanding", &self.outstanding())
            .finish_non_exhaustive()
    }
}

/// One breaker and what it has given out.
struct Watched {
    inner: Arc<dyn CircuitBreaker>,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    /// By generation, whether it is a probe, and the moment of the admission: what tells tickets apart.
    out: BTreeMap<(u64, bool, u64), u64>,
    faults: Vec<String>,
}

impl Watched {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self, ticket: Ticket, now: &Now<'_>) {
        let _ = now.get();
        let mut counts = self.lock();
        match counts.out.get_mut(&name(ticket)) {
            Some(out) if *out > 0 => *out -= 1,
            _ => counts.faults.push(format!("was told of {ticket:?} more often than it had admitted it")),
        }
    }
}

fn name(ticket: Ticket) -> (u64, bool, u64) {
    (ticket.generation, ticket.probe, ticket.admitted_at.as_nanos())
}

impl CircuitBreaker for Watched {
    fn admit(&self, request: &AdmissionRequest<'_>) -> Admission {
        let admission = self.inner.admit(request);
        if let Admission::Admitted(ticket, _) = &admission {
            let mut counts = self.lock();
            *counts.out.entry(name(*ticket)).or_default() += 1;
            if ticket.probe && request.kind == AttemptKind::Hedge {
                counts.faults.push(format!("admitted a hedge as a probe: {ticket:?}"));
            }
        }
        admission
    }

    fn report(&self, ticket: Ticket, health: Health, now: &Now<'_>) -> Option<Transition> {
        self.told(ticket, now);
        self.inner.report(ticket, health, now)
    }

    fn abandon(&self, ticket: Ticket, now: &Now<'_>) -> Option<Transition> {
        self.told(ticket, now);
        self.inner.abandon(ticket, now)
    }

    fn state(&self) -> CircuitState {
        self.inner.state()
    }

    fn would_reject(&self, now: &Now<'_>, wait: Duration) -> Option<Rejection> {
        self.inner.would_reject(now, wait)
    }

    fn reconfigure(&self, settings: &BreakerSettings) {
        self.inner.reconfigure(settings);
    }

    fn status(&self, now: &Now<'_>) -> CircuitStatus {
        self.inner.status(now)
    }

    fn set_mode(&self, mode: CircuitMode) -> bool {
        self.inner.set_mode(mode)
    }

    fn change_mode(&self, mode: CircuitMode, now: &Now<'_>) -> ModeChange {
        self.inner.change_mode(mode, now)
    }
}
