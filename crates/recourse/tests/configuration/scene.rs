//! [`Scene`]: an executor in virtual time, and calls on it.

use recourse::{Error, Executor, ExecutorBuilder, Failure, Jitter, Policy, Timeline};
use recourse_test::{RecordingObserver, Script, ScriptedError, ScriptedOperation, VirtualTime};
use std::fmt::Debug;
use std::time::Duration;

/// The key of most calls.
pub(crate) const KEY: &str = "payments.Charge";

/// Virtual time and an observer.
#[derive(Default)]
pub(crate) struct Scene {
    pub(crate) time: VirtualTime,
    pub(crate) observer: RecordingObserver,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Scene::default()
    }

    /// A builder in this time, without a policy.
    pub(crate) fn builder(&self) -> ExecutorBuilder {
        let builder = Executor::builder().clock(self.time.clone()).sleeper(self.time.clone());
        builder.observer(self.observer.clone()).seed(1)
    }

    /// An executor with this policy for [`KEY`].
    pub(crate) fn executor(&self, policy: Policy) -> Executor {
        self.builder().policy(KEY, policy).build().unwrap()
    }

    /// One call with [`KEY`].
    pub(crate) fn call<T: 'static, E: Failure<M> + Debug, M>(
        &self,
        executor: &Executor,
        operation: &ScriptedOperation<T, E>,
    ) -> (Result<T, Error<E>>, Timeline) {
        self.call_key(executor, KEY, operation)
    }

    /// One call with this key.
    pub(crate) fn call_key<T: 'static, E: Failure<M> + Debug, M>(
        &self,
        executor: &Executor,
        key: &str,
        operation: &ScriptedOperation<T, E>,
    ) -> (Result<T, Error<E>>, Timeline) {
        self.time.run(executor.call(key).run_captured(|attempt| operation.call(attempt)))
    }

    /// An operation that always fails, at once.
    pub(crate) fn failing(&self) -> ScriptedOperation<u32> {
        Script::fails(1).on(&self.time)
    }

    /// An operation that succeeds at once.
    pub(crate) fn fine(&self) -> ScriptedOperation<u32> {
        Script::ok(7).on(&self.time)
    }

    /// The attempts of a call with [`KEY`] that always fails: a way to see which policy it obeys.
    #[track_caller]
    pub(crate) fn attempts(&self, executor: &Executor) -> u32 {
        self.failure(executor).attempts()
    }

    /// The error of a call with [`KEY`] that always fails.
    #[track_caller]
    pub(crate) fn failure(&self, executor: &Executor) -> Error<ScriptedError> {
        self.call(executor, &self.failing()).0.unwrap_err()
    }
}

/// Three attempts, 10 ms and 20 ms apart, without jitter.
pub(crate) fn plain() -> Policy {
    Policy::new().jitter(Jitter::None)
}

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
