//! [`RecordingObserver`]: keeps every callback as an [`Event`], in order.

use super::event::Event;
use recourse_core::timeline::AttemptRecord;
use recourse_core::{BudgetEvent, CallStart, EffectivePolicy, Key, Observer, Timeline, Transition};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An observer that keeps every callback, in order. Clones share what they heard.
///
/// ```
/// use recourse_core::{Key, Observer, Timeline, Moment, CallStart};
/// use recourse_test::RecordingObserver;
///
/// let observer = RecordingObserver::new();
/// let key = Key::from_static("payments.Charge");
/// observer.on_start(&CallStart::new(&key, None));
/// observer.on_success(&Timeline::new(key, Moment::ZERO));
/// observer.assert_one_end_per_start();
/// assert_eq!(observer.lines(), ["start payments.Charge", "success payments.Charge"]);
/// ```
#[derive(Clone, Default)]
pub struct RecordingObserver(Arc<Mutex<Vec<Event>>>);

impl RecordingObserver {
    /// An observer that has heard nothing yet.
    #[must_use]
    pub fn new() -> Self {
        RecordingObserver::default()
    }

    /// Everything heard so far, in order.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.lock().clone()
    }

    /// Everything heard so far, each as one short line; see [`Event`].
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.lock().iter().map(Event::to_string).collect()
    }

    /// Forgets everything heard so far.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// The keys of the calls that started.
    #[must_use]
    pub fn starts(&self) -> Vec<Key> {
        self.pick(|event| match event {
            Event::Start(key, _) => Some(key.clone()),
            _ => None,
        })
    }

    /// The policies that the calls started with; `None` where there was none.
    #[must_use]
    pub fn policies(&self) -> Vec<Option<EffectivePolicy>> {
        self.pick(|event| match event {
            Event::Start(_, policy) => Some(policy.as_deref().cloned()),
            _ => None,
        })
    }

    /// The timelines of the calls that succeeded.
    #[must_use]
    pub fn successes(&self) -> Vec<Timeline> {
        self.pick(|event| match event {
            Event::Success(timeline) => Some(timeline.clone()),
            _ => None,
        })
    }

    /// The timelines of the calls that failed or were dropped.
    #[must_use]
    pub fn failures(&self) -> Vec<Timeline> {
        self.pick(|event| match event {
            Event::Failure(timeline) => Some(timeline.clone()),
            _ => None,
        })
    }

    /// The timelines of all calls that ended.
    #[must_use]
    pub fn timelines(&self) -> Vec<Timeline> {
        self.pick(|event| match event {
            Event::Success(timeline) | Event::Failure(timeline) => Some(timeline.clone()),
            _ => None,
        })
    }

    /// The timeline of the call that ended last.
    ///
    /// # Panics
    ///
    /// If no call has ended.
    #[must_use]
    #[track_caller]
    pub fn last_timeline(&self) -> Timeline {
        match self.timelines().pop() {
            Some(timeline) => timeline,
            None => panic!("no call has ended; heard so far:\n{}", self.heard()),
        }
    }

    /// The records of the attempts that ended or were denied.
    #[must_use]
    pub fn attempts(&self) -> Vec<AttemptRecord> {
        self.pick(|event| match event {
            Event::Attempt(_, record) => Some(record.clone()),
            _ => None,
        })
    }

    /// The decisions of budgets.
    #[must_use]
    pub fn budget_events(&self) -> Vec<BudgetEvent> {
        self.pick(|event| match event {
            Event::Budget(event) => Some(event.clone()),
            _ => None,
        })
    }

    /// The changes of circuit breakers.
    #[must_use]
    pub fn transitions(&self) -> Vec<Transition> {
        self.pick(|event| match event {
            Event::Transition(_, transition) => Some(transition.clone()),
            _ => None,
        })
    }

    /// The records of the hedges that were launched, as they were then: open.
    #[must_use]
    pub fn hedge_spawns(&self) -> Vec<AttemptRecord> {
        self.pick(|event| match event {
            Event::HedgeSpawn(_, record) => Some(record.clone()),
            _ => None,
        })
    }

    /// The records of the hedges that were dropped before they ended, and why.
    #[must_use]
    pub fn hedge_cancels(&self) -> Vec<(AttemptRecord, String)> {
        self.pick(|event| match event {
            Event::HedgeCancel(_, record, reason) => Some((record.clone(), reason.clone())),
            _ => None,
        })
    }

    /// The keys of the calls that ran without state of their key.
    #[must_use]
    pub fn state_capped(&self) -> Vec<Key> {
        self.pick(|event| match event {
            Event::StateCapped(key) => Some(key.clone()),
            _ => None,
        })
    }

    /// Asserts that every call that started has ended exactly once, and none before its start. Calls are told apart
    /// by their key alone.
    ///
    /// # Panics
    ///
    /// If that is not so; the message names the key and lists what was heard.
    #[track_caller]
    pub fn assert_one_end_per_start(&self) {
        let events = self.events();
        let mut open: Vec<(&Key, usize)> = Vec::new();
        for event in &events {
            let at = open.iter().position(|(key, _)| *key == event.key());
            match (event, at) {
                (Event::Start(..), Some(at)) => open[at].1 += 1,
                (Event::Start(key, _), None) => open.push((key, 1)),
                (Event::Success(_) | Event::Failure(_), Some(at)) if open[at].1 > 0 => open[at].1 -= 1,
                (Event::Success(_) | Event::Failure(_), _) => {
                    panic!("{} ended more often than it started; heard:\n{}", event.key(), self.heard())
                }
                _ => {}
            }
        }
        if let Some((key, calls)) = open.iter().find(|(_, calls)| *calls > 0) {
            panic!("{calls} started call(s) of {key} never ended; heard:\n{}", self.heard());
        }
    }

    fn heard(&self) -> String {
        match self.lines() {
            lines if lines.is_empty() => "  nothing".to_owned(),
            lines => lines.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n"),
        }
    }

    fn pick<R>(&self, pick: impl FnMut(&Event) -> Option<R>) -> Vec<R> {
        self.lock().iter().filter_map(pick).collect()
    }

    fn keep(&self, event: Event) {
        self.lock().push(event);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Event>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for RecordingObserver {
    fn on_start(&self, start: &CallStart<'_>) {
        let policy = start.policy.cloned().map(Box::new);
        self.keep(Event::Start(start.key.clone(), policy));
    }
    fn on_attempt(&self, key: &Key, record: &AttemptRecord) {
        self.keep(Event::Attempt(key.clone(), record.clone()));
    }
    fn on_hedge_spawn(&self, key: &Key, record: &AttemptRecord) {
        self.keep(Event::HedgeSpawn(key.clone(), record.clone()));
    }
    fn on_hedge_cancel(&self, key: &Key, record: &AttemptRecord, reason: &str) {
        self.keep(Event::HedgeCancel(key.clone(), record.clone(), reason.to_owned()));
    }
    fn on_budget_decision(&self, event: &BudgetEvent) {
        self.keep(Event::Budget(event.clone()));
    }
    fn on_circuit_transition(&self, key: &Key, transition: &Transition) {
        self.keep(Event::Transition(key.clone(), transition.clone()));
    }
    fn on_state_capped(&self, key: &Key) {
        self.keep(Event::StateCapped(key.clone()));
    }
    fn on_success(&self, timeline: &Timeline) {
        self.keep(Event::Success(timeline.clone()));
    }
    fn on_failure(&self, timeline: &Timeline) {
        self.keep(Event::Failure(timeline.clone()));
    }
}

impl fmt::Debug for RecordingObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RecordingObserver").field(&self.lines()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use recourse_core::{
        AttemptKind, CircuitState, Ending, Moment, Outcome, Policy, PolicySource, StopReason,
    };

    const KEY: Key = Key::from_static("a.b");

    fn start(observer: &RecordingObserver) {
        observer.on_start(&CallStart::new(&KEY, None));
    }

    fn ended() -> Timeline {
        Timeline::new(KEY, Moment::ZERO)
    }

    #[test]
    fn every_callback_is_kept_in_order_and_found_by_its_kind() {
        let observer = RecordingObserver::new();
        let hears = observer.clone();
        let effective = Policy::new().normalize(PolicySource::Static).unwrap();
        let mut record = AttemptRecord::new(0, Moment::ZERO);
        (record.ending, record.outcome) = (Ending::Failed, Outcome::retryable("http_5xx"));
        let mut hedge = AttemptRecord::new(0, Moment::ZERO);
        (hedge.is_hedge, hedge.hedge_index) = (true, 1);
        let mut budget = BudgetEvent::new(KEY, 0, AttemptKind::Hedge, "hedges");
        (budget.allowed, budget.reason) = (false, "budget_denied".into());
        let opened = Transition::new(CircuitState::Closed, CircuitState::Open, "threshold", Moment::ZERO);
        let mut failed = ended();
        failed.stop = Some(StopReason::AttemptsExhausted);

        hears.on_start(&CallStart::new(&KEY, Some(&effective)));
        hears.on_state_capped(&KEY);
        hears.on_budget_decision(&budget);
        hears.on_hedge_spawn(&KEY, &hedge);
        hears.on_hedge_cancel(&KEY, &hedge, "superseded");
        hears.on_circuit_transition(&KEY, &opened);
        hears.on_attempt(&KEY, &record);
        hears.on_failure(&failed);
        hears.on_success(&ended());

        assert_eq!(
            observer.lines(),
            [
                "start a.b",
                "state_capped a.b",
                "budget a.b #0 hedge hedges denied budget_denied",
                "hedge_spawn a.b #0.1",
                "hedge_cancel a.b #0.1 superseded",
                "transition a.b closed -> open threshold",
                "attempt a.b #0 failed http_5xx",
                "failure a.b attempts_exhausted",
                "success a.b",
            ]
        );
        assert_eq!(observer.starts(), [KEY]);
        assert_eq!(observer.policies(), [Some(effective)]);
        assert_eq!(observer.state_capped(), [KEY]);
        assert_eq!(observer.budget_events(), [budget]);
        assert_eq!(observer.hedge_spawns(), [hedge.clone()]);
        assert_eq!(observer.hedge_cancels(), [(hedge, "superseded".to_owned())]);
        assert_eq!(observer.transitions(), [opened]);
        assert_eq!(observer.attempts(), [record]);
        assert_eq!(observer.failures(), [failed.clone()]);
        assert_eq!(observer.successes(), [ended()]);
        assert_eq!(observer.timelines(), [failed, ended()]);
        assert_eq!(observer.last_timeline(), ended());
        assert!(observer.events().iter().all(|event| *event.key() == KEY));
        observer.clear();
        assert_eq!(observer.events(), []);
    }

    #[test]
    fn calls_side_by_side_may_end_in_any_order() {
        let observer = RecordingObserver::new();
        start(&observer);
        start(&observer);
        observer.on_failure(&ended());
        observer.on_success(&ended());
        observer.assert_one_end_per_start();
        RecordingObserver::new().assert_one_end_per_start();
    }

    #[test]
    #[should_panic(expected = "1 started call(s) of a.b never ended; heard:\n  start a.b")]
    fn a_call_that_never_ends_is_told() {
        let observer = RecordingObserver::new();
        start(&observer);
        observer.assert_one_end_per_start();
    }

    #[test]
    #[should_panic(
        expected = "a.b ended more often than it started; heard:\n  start a.b\n  success a.b\n  failure a.b"
    )]
    fn a_call_that_ends_twice_is_told() {
        let observer = RecordingObserver::new();
        start(&observer);
        observer.on_success(&ended());
        observer.on_failure(&ended());
        observer.assert_one_end_per_start();
    }

    #[test]
    #[should_panic(expected = "ended more often than it started")]
    fn an_end_before_its_start_is_told() {
        let observer = RecordingObserver::new();
        observer.on_success(&ended());
        start(&observer);
        observer.assert_one_end_per_start();
    }

    #[test]
    #[should_panic(expected = "no call has ended; heard so far:\n  nothing")]
    fn without_an_ended_call_there_is_no_last_timeline() {
        let _ = RecordingObserver::new().last_timeline();
    }
}
