//! [`Scene`]: an executor in virtual time, with everything that a dropped call must leave clean.

use recourse::{BuildError, Executor, ExecutorBuilder, Jitter, Policy};
use recourse_test::{RecordingObserver, VirtualTime};
use std::time::Duration;

/// The key of every scene.
pub(crate) const KEY: &str = "payments.Charge";

/// Virtual time and an observer; [`Scene::builder`] makes executors that use both.
#[derive(Default)]
pub(crate) struct Scene {
    pub(crate) time: VirtualTime,
    pub(crate) observer: RecordingObserver,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Scene::default()
    }

    /// Time and observer, without a policy.
    pub(crate) fn builder(&self) -> ExecutorBuilder {
        self.unwatched().observer(self.observer.clone())
    }

    /// Time alone.
    pub(crate) fn unwatched(&self) -> ExecutorBuilder {
        Executor::builder().clock(self.time.clone()).sleeper(self.time.clone()).seed(1)
    }

    /// An observed executor with this policy for [`KEY`].
    pub(crate) fn executor(&self, policy: Policy) -> Executor {
        built(self.builder().policy(KEY, policy))
    }
}

pub(crate) fn built(builder: ExecutorBuilder) -> Executor {
    let built: Result<_, BuildError> = builder.build();
    built.unwrap_or_else(|error| panic!("the scene must build: {error}"))
}

/// Three attempts, 10 ms and 20 ms apart, without jitter.
pub(crate) fn plain() -> Policy {
    Policy::new().jitter(Jitter::None)
}

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
