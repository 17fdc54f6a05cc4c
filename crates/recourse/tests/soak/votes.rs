//! [`Votes`]: what breakers were told last, to be compared with how attempts ended.

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

/// Writes down what its breakers are told.
pub(crate) struct Voting {
    inner: Arc<dyn BreakerFactory>,
    votes: Votes,
}

impl Voting {
    pub(crate) fn new(inner: Arc<dyn BreakerFactory>, votes: &Votes) -> Self {
        Voting { inner, votes: votes.clone() }
    }
}

impl BreakerFactory for Voting {
    fn breaker(&self, key: &Key, settings: &BreakerSettings) -> Arc<dyn CircuitBreaker> {
        let breaker = self.inner.breaker(key, settings);
        Arc::new(VotingBreaker { key: key.clone(), breaker, votes: self.votes.clone() })
    }
}

struct VotingBreaker {
    key: Key,
    breaker: Arc<dyn CircuitBreaker>,
    votes: Votes,
}

impl CircuitBreaker for VotingBreaker {
    fn admit(&self, request: &AdmissionRequest<'_>) -> Admission {
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
        self.breaker.reconfigure(settings);
    }
    fn status(&self) -> CircuitStatus {
        self.breaker.status()
    }
    fn set_mode(&self, mode: CircuitMode) -> bool {
        self.breaker.set_mode(mode)
    }
}
