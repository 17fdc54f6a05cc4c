//! [`Votes`]: what breakers were told last, to be compared with how attempts ended; and [`Asked`], which were asked.

use recourse::{
    Admission, AdmissionRequest, AttemptRecord, BreakerFactory, BreakerSettings, CircuitBreaker, CircuitMode,
    CircuitState, CircuitStatus, Ending, Health, Key, Now, Rejection, Ticket, Transition, reason,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The last vote by key, `None` where the attempt was given up. Nothing runs between a vote and the end of its attempt.
#[derive(Clone, Default)]
pub(crate) struct Votes(Arc<Mutex<BTreeMap<Key, Option<Health>>>>);

impl Votes {
    fn set(&self, key: &Key, vote: Option<Health>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), vote);
    }

    /// What is wrong with the vote for the attempt that has just ended, if there was one.
    pub(crate) fn fault(&self, key: &Key, record: &AttemptRecord) -> Option<String> {
        let vote = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key)?;
        let is_right = match record.ending {
            // It was never sent.
            Ending::Denied => vote == Some(Health::None),
            Ending::TimedOut if record.outcome.reason == reason::OVERALL_TIMEOUT => {
                vote == Some(Health::Down)
            }
            Ending::Won | Ending::Failed | Ending::TimedOut => vote == Some(record.outcome.health),
            Ending::Superseded => vote.is_none(),
            _ => matches!(vote, None | Some(Health::None)),
        };
        (!is_right).then(|| format!("the breaker of {key} was told {vote:?} of {record:?}"))
    }
}

/// Who was asked last, by key: the number of the kind, and the settings that the breaker had by then.
#[derive(Clone, Default)]
pub(crate) struct Asked(Arc<Mutex<BTreeMap<Key, (usize, BreakerSettings)>>>);

impl Asked {
    pub(crate) fn take(&self, key: &Key) -> Option<(usize, BreakerSettings)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key)
    }
}

/// Writes down what its breakers are asked and told.
pub(crate) struct Voting {
    pub(crate) inner: Arc<dyn BreakerFactory>,
    pub(crate) votes: Votes,
    pub(crate) asked: Asked,
    /// Tells it from other kinds.
    pub(crate) number: usize,
}

impl BreakerFactory for Voting {
    fn breaker(&self, key: &Key, settings: &BreakerSettings) -> Arc<dyn CircuitBreaker> {
        let breaker = self.inner.breaker(key, settings);
        let (votes, asked) = (self.votes.clone(), self.asked.clone());
        let settings = Mutex::new(*settings);
        Arc::new(VotingBreaker { key: key.clone(), breaker, votes, asked, number: self.number, settings })
    }

    fn max_threshold(&self) -> u32 {
        self.inner.max_threshold()
    }
}

struct VotingBreaker {
    key: Key,
    breaker: Arc<dyn CircuitBreaker>,
    votes: Votes,
    asked: Asked,
    number: usize,
    settings: Mutex<BreakerSettings>,
}

impl CircuitBreaker for VotingBreaker {
    fn admit(&self, request: &AdmissionRequest<'_>) -> Admission {
        let settings = *self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        let mut asked = self.asked.0.lock().unwrap_or_else(PoisonError::into_inner);
        asked.insert(self.key.clone(), (self.number, settings));
        drop(asked);
        self.breaker.admit(request)
    }
    fn report(&self, ticket: Ticket, health: Health, now: &Now<'_>) -> Option<Transition> {
        self.votes.set(&self.key, Some(health));
        self.breaker.report(ticket, health, now)
    }
    fn abandon(&self, ticket: Ticket, now: &Now<'_>) -> Option<Transition> {
        self.votes.set(&self.key, None);
        self.breaker.abandon(ticket, now)
    }
    fn state(&self) -> CircuitState {
        self.breaker.state()
    }
    fn would_reject(&self, now: &Now<'_>, wait: Duration) -> Option<Rejection> {
        self.breaker.would_reject(now, wait)
    }
    fn reconfigure(&self, settings: &BreakerSettings) {
        *self.settings.lock().unwrap_or_else(PoisonError::into_inner) = *settings;
        self.breaker.reconfigure(settings);
    }
    fn status(&self, now: &Now<'_>) -> CircuitStatus {
        self.breaker.status(now)
    }
    fn set_mode(&self, mode: CircuitMode) -> bool {
        self.breaker.set_mode(mode)
    }
}
