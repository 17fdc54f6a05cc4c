//! [`WatchedCalls`]: an observer that keeps no events and counts calls.

use crate::expect::faults;
use recourse_core::timeline::{AttemptRecord, Ending};
use recourse_core::{CallStart, Key, Observer, Timeline};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An observer that counts starts and ends, and looks at the form of each timeline. It keeps no events, so it can watch
/// any number of calls. Clones share what they heard.
///
/// ```
/// use recourse_core::{CallStart, Key, Moment, Observer, StopReason, Timeline};
/// use recourse_test::WatchedCalls;
///
/// let calls = WatchedCalls::new();
/// let mut timeline = Timeline::new(Key::from_static("svc.op"), Moment::ZERO);
/// timeline.stop = Some(StopReason::ContextCanceled);
/// calls.on_start(&CallStart::new(&timeline.key, None));
/// calls.on_failure(&timeline);
/// calls.assert_settled();
/// assert_eq!((calls.started(), calls.succeeded(), calls.failed()), (1, 0, 1));
/// ```
#[derive(Clone, Default)]
pub struct WatchedCalls(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    keys: BTreeMap<Key, Calls>,
    faults: Vec<String>,
}

/// The calls of one key.
#[derive(Clone, Copy, Debug, Default)]
struct Calls {
    started: u64,
    succeeded: u64,
    failed: u64,
    /// The most attempts that a call may launch, by the policies of the calls that have started.
    most_attempts: u32,
    hedges_open: u64,
}

impl Calls {
    fn running(self) -> u64 {
        self.started.saturating_sub(self.succeeded + self.failed)
    }
}

impl WatchedCalls {
    /// An observer that has heard nothing yet.
    #[must_use]
    pub fn new() -> Self {
        WatchedCalls::default()
    }

    /// Calls that started.
    #[must_use]
    pub fn started(&self) -> u64 {
        self.sum(|calls| calls.started)
    }

    /// Calls that succeeded.
    #[must_use]
    pub fn succeeded(&self) -> u64 {
        self.sum(|calls| calls.succeeded)
    }

    /// Calls that failed or were dropped.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.sum(|calls| calls.failed)
    }

    /// What was wrong with calls that have ended: each with its timeline drawn.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        self.lock().faults.clone()
    }

    /// Asserts that each call that started has ended exactly once, that none launched more attempts than its policy has,
    /// that each hedge that was launched has ended, and that each timeline is
    /// [well-formed](crate::Expectation::well_formed).
    ///
    /// # Panics
    ///
    /// If that is not so.
    #[track_caller]
    pub fn assert_settled(&self) {
        let counts = self.lock();
        let (keys, faults) = (counts.keys.clone(), counts.faults.clone());
        drop(counts);
        assert!(faults.is_empty(), "calls went wrong:\n{}", faults.join("\n"));
        for (key, calls) in keys {
            let running = calls.running();
            assert!(running == 0, "{running} call(s) of {key} have started and never ended");
            let open = calls.hedges_open;
            assert!(open == 0, "{open} hedge(s) of {key} were launched and never ended");
        }
    }

    fn sum(&self, count: impl Fn(&Calls) -> u64) -> u64 {
        self.lock().keys.values().map(count).sum()
    }

    fn ended(&self, timeline: &Timeline, succeeded: bool) {
        let mut counts = self.lock();
        let calls = counts.keys.entry(timeline.key.clone()).or_default();
        let once = calls.running() > 0;
        *if succeeded { &mut calls.succeeded } else { &mut calls.failed } += 1;
        let most = calls.most_attempts as usize;
        let mut found = faults(timeline);
        if !once {
            found.push("the call ended more often than it started".to_owned());
        }
        if timeline.launched() > most {
            found.push(format!("{} attempts were launched, of {most} at most", timeline.launched()));
        }
        if timeline.is_success() != succeeded {
            found.push("success and failure are mixed up".to_owned());
        }
        if !found.is_empty() {
            counts.faults.push(format!("{}:\n{timeline}", found.join("; ")));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for WatchedCalls {
    fn on_start(&self, start: &CallStart<'_>) {
        let mut counts = self.lock();
        let calls = counts.keys.entry(start.key.clone()).or_default();
        calls.started += 1;
        let most = start.policy.map_or(0, |effective| effective.policy.worst_case_attempts());
        calls.most_attempts = calls.most_attempts.max(most);
    }
    fn on_attempt(&self, key: &Key, record: &AttemptRecord) {
        let mut counts = self.lock();
        let calls = counts.keys.entry(key.clone()).or_default();
        if record.is_hedge && record.ending != Ending::Denied {
            match calls.hedges_open.checked_sub(1) {
                Some(less) => calls.hedges_open = less,
                None => counts.faults.push(format!("a hedge of {key} ended more often than it was launched")),
            }
        }
    }
    fn on_hedge_spawn(&self, key: &Key, _: &AttemptRecord) {
        self.lock().keys.entry(key.clone()).or_default().hedges_open += 1;
    }
    fn on_success(&self, timeline: &Timeline) {
        self.ended(timeline, true);
    }
    fn on_failure(&self, timeline: &Timeline) {
        self.ended(timeline, false);
    }
}

impl fmt::Debug for WatchedCalls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WatchedCalls").field(&*self.lock()).finish()
    }
}
