//! [`Breaker`]: the shell that lets many threads share one [`Circuit`], whatever it counts.

use crate::cause;
use crate::count::{Count, Inbox};
use crate::state::{self, Circuit, Rules};
use crate::summary::{Standing, Summary};
use crate::sync::Mutex;
use recourse_core::{
    Admission, AdmissionRequest, BreakerSettings, CircuitBreaker, CircuitMode, CircuitState, CircuitStatus,
    Glance, Health, ModeChange, Now, Rejection, Ticket, Transition,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// The breaker of one key.
///
/// While the circuit is closed, asking is one load; while it is healthy too, telling is one load and what the inbox
/// needs, which is nothing for the default breaker. An open circuit, and one whose probes are all out, reject without
/// the lock, so a storm of attempts doesn't queue there. Anything else takes a short lock. Nothing allocates.
#[derive(Debug)]
pub(crate) struct Breaker<C: Count> {
    summary: Summary,
    rules: Rules,
    /// Good votes that were given without the lock.
    inbox: C::Inbox,
    circuit: Mutex<Circuit<C>>,
    /// Attempts that were let through by observing alone.
    observed: AtomicU64,
}

impl<C: Count> Breaker<C> {
    /// A closed circuit. `seed` is what its jitter depends on.
    pub(crate) fn new(
        count: C,
        inbox: C::Inbox,
        rules: Rules,
        settings: &BreakerSettings,
        seed: u64,
    ) -> Self {
        let circuit = Circuit::closed(count, rules, settings, seed);
        let (summary, observed) = (Summary::of(&circuit), AtomicU64::new(0));
        Breaker { summary, rules, inbox, circuit: Mutex::new(circuit), observed }
    }

    /// Out of line, so that the usual ways are found by two comparisons.
    #[inline(never)]
    fn admit_rarely(&self, request: &AdmissionRequest<'_>) -> Admission {
        let word = self.summary.word();
        match word.read() {
            (_, Standing::Full) if self.summary.rejects(word, &request.now) => {
                Admission::Rejected(state::probe_limit())
            }
            (generation, Standing::Disabled) => Admission::Admitted(Ticket::normal(generation), None),
            (_, Standing::Shut) => Admission::Rejected(state::open()),
            _ => self.ask(request),
        }
    }

    #[cold]
    #[inline(never)]
    fn ask(&self, request: &AdmissionRequest<'_>) -> Admission {
        let admission = self.change(|circuit, inbox| circuit.admit(request.kind, &request.now, inbox));
        if matches!(&admission, Admission::Admitted(ticket, _) if ticket.observed_rejection) {
            self.observed.fetch_add(1, Relaxed);
        }
        admission
    }

    /// Kept out of line, so that the way of a good vote needs no room for what isn't.
    #[inline(never)]
    fn report_otherwise(&self, ticket: Ticket, health: Health, now: &Now<'_>) -> Option<Transition> {
        match (self.summary.read(), health) {
            ((_, Standing::Disabled | Standing::Open), _) => None,
            ((_, Standing::Healthy | Standing::Failing), Health::None) => None,
            ((generation, Standing::Healthy), Health::Up) if !self.rules.is_slow(ticket, now) => {
                self.good(generation, ticket, now);
                None
            }
            _ => self.change(move |circuit, inbox| circuit.report(ticket, health, now, inbox)),
        }
    }

    #[inline]
    fn good(&self, generation: u64, ticket: Ticket, now: &Now<'_>) {
        if ticket.generation == generation && !ticket.probe {
            self.inbox.good(generation, now);
        }
    }

    /// Changes the circuit; the summary follows before the lock is free. Out of line, like the other way of a circuit
    /// that has tripped, to keep that of a healthy one short.
    #[cold]
    #[inline(never)]
    fn change<T>(&self, change: impl FnOnce(&mut Circuit<C>, &C::Inbox) -> T) -> T {
        let mut circuit = self.circuit.lock();
        let answer = change(&mut circuit, &self.inbox);
        self.summary.follow(&circuit);
        answer
    }
}

impl<C: Count> CircuitBreaker for Breaker<C> {
    /// Whoever asks has looked at the glance, as a rule: so an open circuit is looked for first.
    fn admit(&self, request: &AdmissionRequest<'_>) -> Admission {
        let word = self.summary.word();
        match word.read() {
            (_, Standing::Open) if self.summary.rejects(word, &request.now) => {
                Admission::Rejected(state::open())
            }
            (generation, Standing::Healthy | Standing::Failing) => {
                Admission::Admitted(self.rules.stamp(Ticket::normal(generation), &request.now), None)
            }
            _ => self.admit_rarely(request),
        }
    }

    fn report(&self, ticket: Ticket, health: Health, now: &Now<'_>) -> Option<Transition> {
        match (self.summary.read(), health) {
            ((generation, Standing::Healthy), Health::Up) if self.rules.slow.is_none() => {
                self.good(generation, ticket, now);
                None
            }
            (_, health) => self.report_otherwise(ticket, health, now),
        }
    }

    fn abandon(&self, ticket: Ticket, now: &Now<'_>) -> Option<Transition> {
        let ignored = self.rules.abandoned.is_none() && self.rules.slow.is_none();
        match self.summary.read().1 {
            Standing::Disabled | Standing::Open => None,
            Standing::Healthy | Standing::Failing if ignored => None,
            _ => self.change(move |circuit, inbox| circuit.abandon(ticket, now, inbox)),
        }
    }

    fn glance(&self) -> Option<Arc<Glance>> {
        Some(self.summary.glance().clone())
    }

    fn state(&self) -> CircuitState {
        match self.summary.read().1 {
            Standing::Healthy | Standing::Failing | Standing::Disabled => CircuitState::Closed,
            Standing::Open | Standing::Shut => CircuitState::Open,
            Standing::HalfOpen | Standing::Full => CircuitState::HalfOpen,
            Standing::Observed => self.circuit.lock().state(),
        }
    }

    fn would_reject(&self, now: &Now<'_>, wait: Duration) -> Option<Rejection> {
        match self.summary.read().1 {
            Standing::Open | Standing::Shut => self.circuit.lock().would_reject(now, wait),
            _ => None,
        }
    }

    /// Takes effect at once: a threshold that the count has reached already opens the circuit at the next failure, and
    /// a circuit that is open stays so for the new cooldown, counted from when it opened.
    fn reconfigure(&self, settings: &BreakerSettings) {
        self.change(|circuit, _| circuit.reconfigure(settings));
    }

    fn status(&self, now: &Now<'_>) -> CircuitStatus {
        let mut status = self.circuit.lock().status(&self.inbox, now);
        status.observed_rejections = self.observed.load(Relaxed);
        status
    }

    fn set_mode(&self, mode: CircuitMode) -> bool {
        self.change(|circuit, inbox| circuit.set_mode(mode, inbox));
        true
    }

    fn change_mode(&self, mode: CircuitMode, now: &Now<'_>) -> ModeChange {
        let made = self.change(|circuit, inbox| {
            let at = now.get();
            circuit.set_mode(mode, inbox).map(|states| (states, at))
        });
        ModeChange::Set(made.map(|((from, to), at)| Transition::new(from, to, cause::of_mode(mode), at)))
    }
}

#[cfg(all(test, not(recourse_loom)))]
mod tests {
    use super::*;
    use crate::count::Streak;
    use parking_lot::MutexGuard;
    use recourse_core::{AttemptKind, Clock, Moment};
    use std::panic::{AssertUnwindSafe, catch_unwind};

    type Consecutive = Breaker<Streak>;

    /// A clock that nobody may read.
    struct Broken;
    impl Clock for Broken {
        fn now(&self) -> Moment {
            panic!("the clock was read")
        }
    }

    fn breaker(threshold: u32) -> Consecutive {
        breaker_by(Rules::FIXED, threshold)
    }

    fn breaker_by(rules: Rules, threshold: u32) -> Consecutive {
        let settings = BreakerSettings::new(threshold, Duration::from_secs(1));
        Breaker::new(Streak::new(rules.throttled), (), rules, &settings, 0)
    }

    fn admitted(breaker: &Consecutive, now: Now<'_>) -> Ticket {
        match breaker.admit(&AdmissionRequest::new(AttemptKind::Retry, now)) {
            Admission::Admitted(ticket, _) => ticket,
            other => panic!("{other:?}"),
        }
    }

    /// Acts on a thread of its own, so that a breaker that waits for the lock fails the test instead of hanging it.
    fn without_the_lock(locked: MutexGuard<'_, Circuit<Streak>>, act: impl FnOnce() + Send) {
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
    fn an_attempt_that_is_given_up_takes_no_lock_where_that_is_no_vote() {
        let breaker = breaker_by(Rules { abandoned: None, ..Rules::FIXED }, 1);
        let locked = breaker.circuit.lock();
        without_the_lock(locked, || {
            let ticket = admitted(&breaker, Now::of(&Broken));
            assert_eq!(breaker.abandon(ticket, &Now::of(&Broken)), None);
        });
    }

    #[test]
    fn an_answer_after_one_that_was_given_up_leaves_a_healthy_circuit() {
        let breaker = breaker(1);
        breaker.abandon(admitted(&breaker, Now::of(&Broken)), &Now::of(&Broken));
        assert_eq!(breaker.summary.read().1, Standing::Failing, "the next answer has to be told");
        breaker.report(admitted(&breaker, Now::of(&Broken)), Health::Up, &Now::of(&Broken));
        assert_eq!(breaker.summary.read().1, Standing::Healthy);
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
    fn a_half_open_circuit_without_a_free_slot_rejects_without_a_lock() {
        let breaker = breaker(1);
        let now = || Now::at(Moment::ZERO + Duration::from_secs(1));
        breaker.report(admitted(&breaker, Now::at(Moment::ZERO)), Health::Down, &Now::at(Moment::ZERO));
        assert!(admitted(&breaker, now()).probe);
        let locked = breaker.circuit.lock();
        without_the_lock(locked, || {
            let answer = breaker.admit(&AdmissionRequest::new(AttemptKind::Retry, now()));
            assert_eq!(answer, Admission::Rejected(state::probe_limit()));
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
