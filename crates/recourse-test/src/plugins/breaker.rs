//! [`ScriptedBreaker`]: admits and rejects in turn, and checks that every ticket comes back.

use crate::sequence::Sequence;
use recourse_core::{
    Admission, AdmissionRequest, AttemptKind, BreakerFactory, BreakerSettings, CircuitBreaker, CircuitState,
    Health, Key, Now, Rejection, Ticket, Transition, reason,
};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A circuit breaker that admits and rejects in turn; the last step repeats. Clones share it, and as a factory it is
/// itself the breaker of every key.
///
/// Every attempt takes a step, hedges included. A peek looks at the next step and takes nothing. Each admission has a
/// ticket of its own, so that [`assert_all_reported`](Self::assert_all_reported) can tell them apart.
///
/// ```
/// use recourse_core::{Admission, AdmissionRequest, AttemptKind, CircuitBreaker, Health, Moment, Now};
/// use recourse_test::ScriptedBreaker;
///
/// let breaker = ScriptedBreaker::admits(1).then_rejects(1);
/// let request = || AdmissionRequest::new(AttemptKind::Retry, Now::at(Moment::ZERO));
///
/// let Admission::Admitted(ticket, _) = breaker.admit(&request()) else { panic!("it admits one attempt") };
/// breaker.report(ticket, Health::Down, &Now::at(Moment::ZERO));
/// breaker.assert_all_reported();
/// assert_eq!(breaker.votes(), [Health::Down]);
/// assert!(matches!(breaker.admit(&request()), Admission::Rejected(_)));
/// ```
#[derive(Clone)]
pub struct ScriptedBreaker(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    admits: Option<Sequence<bool>>,
    half_open: bool,
    asks: Vec<AttemptKind>,
    tickets: Vec<Ticket>,
    reports: Vec<(Ticket, Health)>,
    settings: Vec<BreakerSettings>,
}

impl ScriptedBreaker {
    /// Begins with `times` admissions. `admits(1)` alone admits every attempt.
    #[must_use]
    pub fn admits(times: u32) -> Self {
        ScriptedBreaker(Arc::default()).then(times, true)
    }

    /// Begins with `times` rejections. `rejects(1)` alone rejects every attempt.
    #[must_use]
    pub fn rejects(times: u32) -> Self {
        ScriptedBreaker(Arc::default()).then(times, false)
    }

    /// Then `times` admissions.
    #[must_use]
    pub fn then_admits(self, times: u32) -> Self {
        self.then(times, true)
    }

    /// Then `times` rejections.
    #[must_use]
    pub fn then_rejects(self, times: u32) -> Self {
        self.then(times, false)
    }

    fn then(self, times: u32, admits: bool) -> Self {
        self.lock().admits.get_or_insert_with(Sequence::new).push(times, admits);
        self
    }

    /// Plays a half-open circuit: admissions are probes, and rejections say `circuit_half_open_probe_limit`.
    #[must_use]
    pub fn half_open(self) -> Self {
        self.lock().half_open = true;
        self
    }

    /// What asked to start, in order.
    #[must_use]
    pub fn asks(&self) -> Vec<AttemptKind> {
        self.lock().asks.clone()
    }

    /// What was reported, in order.
    #[must_use]
    pub fn votes(&self) -> Vec<Health> {
        self.lock().reports.iter().map(|(_, health)| *health).collect()
    }

    /// Admissions that have not been reported.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        let state = self.lock();
        let reported = |ticket: &&Ticket| !state.reports.iter().any(|(told, _)| told == *ticket);
        state.tickets.iter().filter(reported).count()
    }

    /// The settings that it was made with, for each key, and those of each later change.
    #[must_use]
    pub fn settings(&self) -> Vec<BreakerSettings> {
        self.lock().settings.clone()
    }

    /// Asserts that every admitted attempt was reported exactly once.
    ///
    /// # Panics
    ///
    /// If one was not reported, was reported twice, or was never admitted.
    #[track_caller]
    pub fn assert_all_reported(&self) {
        let state = self.lock();
        let (tickets, reports) = (state.tickets.clone(), state.reports.clone());
        drop(state);
        for ticket in &tickets {
            let times = reports.iter().filter(|(told, _)| told == ticket).count();
            assert!(
                times == 1,
                "admission {} was reported {times} times, not once; reports: {reports:?}",
                ticket.generation
            );
        }
        assert!(
            reports.len() == tickets.len(),
            "a ticket was reported that was never handed out; handed out: {tickets:?}, reports: {reports:?}"
        );
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Why the next attempt is rejected, if it is.
    fn next(&self) -> Option<Rejection> {
        let script = self.admits.as_ref();
        match script.and_then(|script| script.nth(self.asks.len())) {
            Some(true) | None => None,
            Some(false) if self.half_open => {
                Some(Rejection::new(CircuitState::HalfOpen, reason::CIRCUIT_HALF_OPEN_PROBE_LIMIT))
            }
            Some(false) => Some(Rejection::new(CircuitState::Open, reason::CIRCUIT_OPEN)),
        }
    }
}

impl CircuitBreaker for ScriptedBreaker {
    fn admit(&self, request: &AdmissionRequest<'_>) -> Admission {
        let mut state = self.lock();
        let rejection = state.next();
        state.asks.push(request.kind);
        if let Some(rejection) = rejection {
            return Admission::Rejected(rejection);
        }
        let number = state.tickets.len() as u64;
        let ticket = if state.half_open { Ticket::probe(number) } else { Ticket::normal(number) };
        state.tickets.push(ticket);
        Admission::Admitted(ticket, None)
    }

    fn report(&self, ticket: Ticket, health: Health, _: &Now<'_>) -> Option<Transition> {
        self.lock().reports.push((ticket, health));
        None
    }

    fn state(&self) -> CircuitState {
        let state = self.lock();
        match state.next() {
            Some(rejection) => rejection.state,
            None if state.half_open => CircuitState::HalfOpen,
            None => CircuitState::Closed,
        }
    }

    fn would_reject(&self, _: &Now<'_>, _: Duration) -> Option<Rejection> {
        self.lock().next()
    }

    fn reconfigure(&self, settings: &BreakerSettings) {
        self.lock().settings.push(*settings);
    }
}

impl BreakerFactory for ScriptedBreaker {
    fn breaker(&self, _: &Key, settings: &BreakerSettings) -> Arc<dyn CircuitBreaker> {
        self.reconfigure(settings);
        Arc::new(self.clone())
    }
}

impl fmt::Debug for ScriptedBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedBreaker")
            .field("asks", &self.asks().len())
            .field("outstanding", &self.outstanding())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use recourse_core::Moment;

    fn admit(breaker: &ScriptedBreaker) -> Option<Ticket> {
        match breaker.admit(&AdmissionRequest::new(AttemptKind::Retry, Now::at(Moment::ZERO))) {
            Admission::Admitted(ticket, _) => Some(ticket),
            _ => None,
        }
    }

    fn report(breaker: &ScriptedBreaker, ticket: Ticket) {
        assert_eq!(breaker.report(ticket, Health::None, &Now::at(Moment::ZERO)), None);
    }

    #[test]
    fn steps_are_taken_by_attempts_and_foreseen_by_peeks() {
        let breaker = ScriptedBreaker::admits(1).then_rejects(1).then_admits(1);
        let mut seen = Vec::new();
        for _ in 0..3 {
            let foreseen = breaker.would_reject(&Now::at(Moment::ZERO), Duration::ZERO);
            seen.push((foreseen.is_none(), admit(&breaker).is_some()));
        }
        assert_eq!(seen, [(true, true), (false, false), (true, true)]);
        assert_eq!(breaker.outstanding(), 2);
    }

    #[test]
    fn half_open_it_hands_out_probes_and_tells_the_probe_limit() {
        let breaker = ScriptedBreaker::admits(1).then_rejects(1).half_open();
        assert!(admit(&breaker).unwrap().probe);
        let rejection = breaker.would_reject(&Now::at(Moment::ZERO), Duration::ZERO).unwrap();
        assert_eq!(rejection.reason, "circuit_half_open_probe_limit");
    }

    #[test]
    #[should_panic(expected = "admission 0 was reported 0 times, not once")]
    fn an_admission_that_is_not_reported_is_told() {
        let breaker = ScriptedBreaker::admits(1);
        admit(&breaker).unwrap();
        breaker.assert_all_reported();
    }

    #[test]
    #[should_panic(expected = "admission 0 was reported 2 times, not once")]
    fn an_admission_that_is_reported_twice_is_told() {
        let breaker = ScriptedBreaker::admits(1);
        let ticket = admit(&breaker).unwrap();
        report(&breaker, ticket);
        report(&breaker, ticket);
        breaker.assert_all_reported();
    }

    #[test]
    #[should_panic(expected = "a ticket was reported that was never handed out")]
    fn a_report_without_an_admission_is_told() {
        let breaker = ScriptedBreaker::admits(1);
        report(&breaker, Ticket::normal(9));
        breaker.assert_all_reported();
    }

    #[test]
    fn as_a_factory_it_is_the_breaker_of_every_key_and_keeps_the_settings() {
        let breaker = ScriptedBreaker::rejects(1);
        let settings = BreakerSettings::new(3, Duration::from_secs(1));
        let made = breaker.breaker(&Key::from_static("a.b"), &settings);
        assert_eq!(made.state(), CircuitState::Open);
        assert_eq!(breaker.settings(), [settings]);
    }
}
