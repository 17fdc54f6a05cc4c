//! What the tests here play on: an executor in virtual time with one policy, and errors that say how to judge them.

use recourse::{
    AttemptResult, Classifier, Error, Executor, ExecutorBuilder, Failure, Jitter, Outcome, OutcomeKind,
    Policy, Timeline,
};
use recourse_test::{RecordingObserver, Script, ScriptedOperation, VirtualTime};
use std::fmt;
use std::time::Duration;

/// The key of every call here.
pub(crate) const KEY: &str = "shop.Buy";

pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Waits of 10, 20, 40 ms and so on, exactly.
pub(crate) fn plain() -> Policy {
    Policy::new().backoff(ms(10), ms(250)).jitter(Jitter::None)
}

/// An executor with one policy, its time, and an observer that hears everything.
pub(crate) struct Stage {
    pub(crate) time: VirtualTime,
    pub(crate) observer: RecordingObserver,
    pub(crate) executor: Executor,
}

/// A call that was played.
pub(crate) struct Played<T, E> {
    pub(crate) result: Result<T, Error<E>>,
    pub(crate) timeline: Timeline,
    pub(crate) operation: ScriptedOperation<T, E>,
}

impl Stage {
    pub(crate) fn new(policy: Policy) -> Self {
        Stage::with(policy, |builder| builder)
    }

    pub(crate) fn with(policy: Policy, more: impl FnOnce(ExecutorBuilder) -> ExecutorBuilder) -> Self {
        let (time, observer) = (VirtualTime::new(), RecordingObserver::new());
        let builder = Executor::builder().clock(time.clone()).sleeper(time.clone()).seed(7);
        let builder = builder.observer(observer.clone()).policy(KEY, policy);
        let executor = more(builder).build().expect("the stage is in order");
        Stage { time, observer, executor }
    }

    /// Judges errors as [`Told`] says; their values are successes.
    pub(crate) fn told(policy: Policy) -> Self {
        Stage::with(policy, |builder| builder.default_classifier(AsTold))
    }

    /// Plays one call to its end.
    pub(crate) fn play<T, E, M>(&self, script: Script<T, E>) -> Played<T, E>
    where
        T: 'static,
        E: Failure<M>,
    {
        let operation = script.on(&self.time);
        let call = self.executor.call(KEY).run_captured(|attempt| operation.call(attempt));
        let (result, timeline) = self.time.run(call);
        Played { result, timeline, operation }
    }
}

impl<T: fmt::Debug, E> Played<T, E> {
    /// The error that the call ended with.
    #[track_caller]
    pub(crate) fn error(self) -> Error<E> {
        self.result.expect_err("the call was to fail")
    }
}

/// An error that says how to judge it, and which one it is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) name: &'static str,
    pub(crate) outcome: Outcome,
}

impl Told {
    pub(crate) fn new(name: &'static str, kind: OutcomeKind) -> Self {
        Told { name, outcome: Outcome::of(kind, name) }
    }
    pub(crate) fn retryable(name: &'static str) -> Self {
        Told::new(name, OutcomeKind::Retryable)
    }
    pub(crate) fn non_retryable(name: &'static str) -> Self {
        Told::new(name, OutcomeKind::NonRetryable)
    }
    pub(crate) fn abort(name: &'static str) -> Self {
        Told::new(name, OutcomeKind::Abort)
    }
    /// The same with a server's delay.
    pub(crate) fn wait(mut self, wait: Duration) -> Self {
        self.outcome = self.outcome.with_backoff(wait);
        self
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl std::error::Error for Told {}

/// Judges a [`Told`] as it says, a value as a success, and a timeout as retryable.
pub(crate) struct AsTold;

impl Classifier for AsTold {
    fn classify(&self, result: &AttemptResult<'_>) -> Outcome {
        match result.error_as::<Told>() {
            Some(told) => told.outcome.clone(),
            None if result.is_value() => Outcome::success(),
            None => Outcome::retryable("context_deadline_exceeded"),
        }
    }
}
