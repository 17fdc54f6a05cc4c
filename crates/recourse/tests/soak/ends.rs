//! [`Ends`]: an observer of how attempts and calls end.

use crate::mood::Mood;
use crate::votes::Votes;
use recourse::{AttemptRecord, Ending, Key, Observer, StopReason, Timeline};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts the attempts that have ended, each told once, and looks whether each was told its end.
#[derive(Clone)]
pub(crate) struct Ends {
    count: Arc<AtomicU64>,
    mood: Mood,
    votes: Votes,
}

impl Ends {
    pub(crate) fn new(mood: &Mood, votes: &Votes) -> Self {
        Ends { count: Arc::default(), mood: mood.clone(), votes: votes.clone() }
    }

    pub(crate) fn heard(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// A race is lost where something ended its group; where the call was dropped, nothing had.
    fn look(&self, timeline: &Timeline) {
        let any = |ending| timeline.attempts().iter().any(|record| record.ending == ending);
        let mut records = timeline.attempts().iter();
        let denied = records.any(|record| record.ending == Ending::Denied && !record.is_hedge);
        let wrong = match timeline.stop {
            Some(StopReason::PanicIn(_)) => false,
            Some(StopReason::ContextCanceled) => any(Ending::Superseded) || any(Ending::Won),
            // A hedge that is denied ends nothing.
            Some(StopReason::BudgetDenied | StopReason::BudgetNotFound) => !denied || any(Ending::Cancelled),
            _ => any(Ending::Cancelled),
        };
        if wrong {
            self.mood.fault(format!("an attempt was told the wrong end: {timeline}"));
        }
    }
}

impl Observer for Ends {
    fn on_attempt(&self, key: &Key, record: &AttemptRecord) {
        // A panic on the way may leave an end untold, or a vote.
        if let Some(fault) = self.votes.fault(key, record).filter(|_| self.mood.is_calm()) {
            self.mood.fault(fault);
        }
        self.count.fetch_add(u64::from(record.ending != Ending::Denied), Ordering::Relaxed);
    }
    fn on_success(&self, timeline: &Timeline) {
        self.look(timeline);
    }
    fn on_failure(&self, timeline: &Timeline) {
        self.look(timeline);
    }
}
