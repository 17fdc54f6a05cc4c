//! [`ConsecutiveFailures`]: the shell that lets many threads share one [`Circuit`].

use crate::settings::{self, SettingsError};
use crate::state::{self, Circuit};
use crate::summary::{Standing, Summary};
use parking_lot::Mutex;
use recourse_core::{
    Admission, AdmissionRequest, BreakerSettings, CircuitBreaker, CircuitState, Health, Key, Now, Rejection,
    Ticket, Transition,
};
use std::sync::Arc;
use std::time::Duration;

/// The name under which an executor finds this breaker; also what an empty name in a policy means.
pub const CONSECUTIVE_FAILURES: &str = "consecutive_failures";

/// Opens after so many failed attempts in a row; lets one probe through after the cooldown.
///
/// Any Up vote in between starts the count anew; an attempt that says nothing neither counts nor resets. A report that
/// belongs to an earlier generation, which is one admitted before the last change of state, is ignored.
///
/// While the circuit is closed and healthy, asking and telling read one atomic: no lock, no write, no clock. An open
/// circuit rejects without a lock too, so a storm of attempts doesn't queue there. Anything else takes a short lock.
///
/// # A clock that goes backwards
///
/// The cooldown then counts from the earliest moment at which a primary attempt has asked since the circuit opened. So
/// the circuit stays open for at most one cooldown after the first attempt that sees the new time; it is never stuck.
///
/// ```
/// use recourse_circuit::ConsecutiveFailures;
/// use recourse_core::{BreakerSettings, CircuitBreaker, CircuitState};
/// use std::time::Duration;
///
/// let breaker = ConsecutiveFailures::new(BreakerSettings::new(5, Duration::from_secs(10)))?;
/// assert_eq!((breaker.state(), breaker.failures()), (CircuitState::Closed, 0));
/// # Ok::<(), recourse_circuit::SettingsError>(())
/// ```
#[derive(Debug)]
pub struct ConsecutiveFailures {
    summary: Summary,
    circuit: Mutex<Circuit>,
}

/// Makes a [`ConsecutiveFailures`] for a key: this function is a [`BreakerFactory`](recourse_core::BreakerFactory).
///
/// An executor hands over the settings of a normalised policy, which are in range. Out of it, a threshold of 0 opens
/// at the first failure, as 1 does, and a short cooldown is as short as it says.
///
/// ```
/// use recourse_core::{BreakerFactory, Registry};
///
/// let breakers = Registry::<dyn BreakerFactory>::new();
/// breakers.register(recourse_circuit::CONSECUTIVE_FAILURES, recourse_circuit::consecutive_failures)?;
/// # Ok::<(), recourse_core::RegistryError>(())
/// ```
#[must_use]
pub fn consecutive_failures(key: &Key, settings: &BreakerSettings) -> Arc<dyn CircuitBreaker> {
    let _ = key;
    Arc::new(ConsecutiveFailures::unchecked(settings))
}

impl ConsecutiveFailures {
    /// A closed circuit.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] if the threshold is 0 or the cooldown is shorter than 100 ms.
    pub fn new(settings: BreakerSettings) -> Result<Self, SettingsError> {
        settings::check(&settings)?;
        Ok(Self::unchecked(&settings))
    }

    fn unchecked(settings: &BreakerSettings) -> Self {
        let circuit = Circuit::closed(settings);
        ConsecutiveFailures { summary: Summary::of(&circuit), circuit: Mutex::new(circuit) }
    }

    /// Down votes in a row while the circuit is closed; 0 in any other state.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.circuit.lock().failures()
    }

    /// The present settings.
    #[must_use]
    pub fn settings(&self) -> BreakerSettings {
        self.circuit.lock().settings()
    }

    #[cold]
    #[inline(never)]
    fn admit_to_tripped(&self, request: &AdmissionRequest<'_>) -> Admission {
        if self.summary.rejects(&request.now) {
            return Admission::Rejected(state::open());
        }
        self.change(|circuit| circuit.admit(request.kind, &request.now))
    }

    /// Changes the circuit; the summary follows before the lock is free. Out of line, like the other way of a circuit
    /// that has tripped, to keep that of a healthy one short.
    #[cold]
    #[inline(never)]
    fn change<T>(&self, change: impl FnOnce(&mut Circuit) -> T) -> T {
        let mut circuit = self.circuit.lock();
        let answer = change(&mut circuit);
        self.summary.follow(&circuit);
        answer
    }
}

impl CircuitBreaker for ConsecutiveFailures {
    fn admit(&self, request: &AdmissionRequest<'_>) -> Admission {
        match self.summary.read() {
            (generation, Standing::Healthy | Standing::Failing) => {
                Admission::Admitted(Ticket::normal(generation), None)
            }
            _ => self.admit_to_tripped(request),
        }
    }

    fn report(&self, ticket: Ticket, health: Health, now: &Now<'_>) -> Option<Transition> {
        match self.summary.read().1 {
            Standing::Healthy if health != Health::Down => None,
            _ => self.change(move |circuit| circuit.report(ticket, health, now)),
        }
    }

    fn state(&self) -> CircuitState {
        match self.summary.read().1 {
            Standing::Healthy | Standing::Failing => CircuitState::Closed,
            Standing::Open => CircuitState::Open,
            Standing::HalfOpen => CircuitState::HalfOpen,
        }
    }

    fn would_reject(&self, now: &Now<'_>, wait: Duration) -> Option<Rejection> {
        match self.summary.read().1 {
            Standing::Open => self.circuit.lock().would_reject(now, wait),
            _ => None,
        }
    }

    /// Takes effect at once: a threshold that the count has reached already opens the circuit at the next failure, and
    /// a circuit that is open stays so for the new cooldown, counted from when it opened.
    fn reconfigure(&self, settings: &BreakerSettings) {
        self.change(|circuit| circuit.reconfigure(settings));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parking_lot::MutexGuard;
    use recourse_core::{AttemptKind, Clock, Moment};
    use std::panic::{AssertUnwindSafe, catch_unwind};

    /// A clock that nobody may read.
    struct Broken;
    impl Clock for Broken {
        fn now(&self) -> Moment {
            panic!("the clock was read")
        }
    }

    fn breaker(threshold: u32) -> ConsecutiveFailures {
        ConsecutiveFailures::new(BreakerSettings::new(threshold, Duration::from_secs(1))).expect("in range")
    }

    fn admitted(breaker: &ConsecutiveFailures, now: Now<'_>) -> Ticket {
        match breaker.admit(&AdmissionRequest::new(AttemptKind::Retry, now)) {
            Admission::Admitted(ticket, _) => ticket,
            other => panic!("{other:?}"),
        }
    }

    /// Acts on a thread of its own, so that a breaker that waits for the lock fails the test instead of hanging it.
    fn without_the_lock(locked: MutexGuard<'_, Circuit>, act: impl FnOnce() + Send) {
        let (done, wait) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                act();
                done.send(()).expect("the test waits");
            });
            let answer = wait.recv_timeout(Duration::from_secs(60));
            drop(locked);
            assert_eq!(answer, Ok(()), "the breaker waited for its lock, or panicked");
        });
    }

    #[test]
    fn a_healthy_circuit_takes_no_lock_and_reads_no_clock() {
        let breaker = breaker(1);
        let locked = breaker.circuit.lock();
        without_the_lock(locked, || {
            let ticket = admitted(&breaker, Now::of(&Broken));
            for health in [Health::Up, Health::None] {
                assert_eq!(breaker.report(ticket, health, &Now::of(&Broken)), None);
            }
            assert_eq!(breaker.would_reject(&Now::of(&Broken), Duration::ZERO), None);
            assert_eq!(breaker.state(), CircuitState::Closed);
        });
    }

    #[test]
    fn an_open_circuit_rejects_without_a_lock() {
        let breaker = breaker(1);
        let now = || Now::at(Moment::from_nanos(5));
        breaker.report(admitted(&breaker, now()), Health::Down, &now());
        let locked = breaker.circuit.lock();
        without_the_lock(locked, || {
            let answer = breaker.admit(&AdmissionRequest::new(AttemptKind::Retry, now()));
            assert_eq!(answer, Admission::Rejected(state::open()));
        });
    }

    #[test]
    fn a_clock_that_panics_leaves_the_circuit_as_it_was() {
        let breaker = breaker(1);
        let panics = |act: &dyn Fn()| {
            let before = breaker.circuit.lock().clone();
            assert!(catch_unwind(AssertUnwindSafe(act)).is_err());
            assert_eq!(*breaker.circuit.lock(), before);
            assert_eq!(breaker.state(), before.state());
        };
        let start = Moment::ZERO;
        let ticket = admitted(&breaker, Now::at(start));
        panics(&|| _ = breaker.report(ticket, Health::Down, &Now::of(&Broken)));
        breaker.report(ticket, Health::Down, &Now::at(start));
        panics(&|| _ = admitted(&breaker, Now::of(&Broken)));
        let probe = admitted(&breaker, Now::at(start + Duration::from_secs(1)));
        panics(&|| _ = breaker.report(probe, Health::Up, &Now::of(&Broken)));
        panics(&|| _ = breaker.report(probe, Health::Down, &Now::of(&Broken)));
    }
}
