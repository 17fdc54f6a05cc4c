//! [`Executor`] and [`Handle`]: run operations by the policy of their key.

use crate::call::{Audience, Call};
use crate::error::Error;
use crate::explain::{ExplainError, Explanation};
use crate::fence::PanicCounts;
use crate::key_ref::KeyRef;
use crate::plan::{Slot, Target};
use crate::shared::Shared;
use crate::static_check::PolicyChange;
use recourse_core::{
    Attempt, BreakerFactory, Budget, CircuitBreaker, CircuitMode, CircuitState, CircuitStatus, Classifier,
    Component, Failure, HedgeTrigger, Key, KeyError, ModeChange, Moment, Now, Registry,
};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// Runs operations by the policy of their key. A clone is cheap and shares everything.
///
/// ```
/// use recourse::budget::TokenBucket;
/// use recourse::{Executor, Policy};
///
/// # futures::executor::block_on(async {
/// let executor = Executor::builder()
///     .budget("retries", TokenBucket::new(100, 50.0)?)
///     .policy("user-service.GetUser", Policy::new().max_attempts(4).retry_budget("retries"))
///     .build()?;
/// let mut calls = 0;
/// let user = executor
///     .run("user-service.GetUser", |_| {
///         calls += 1;
///         let answer = if calls < 3 { Err(std::io::Error::other("reset")) } else { Ok("Ada") };
///         async { answer }
///     })
///     .await?;
/// assert_eq!((user, calls), ("Ada", 3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Executor(Arc<Shared>);

impl Executor {
    pub(crate) fn new(shared: Shared) -> Self {
        Executor(Arc::new(shared))
    }

    /// Runs an operation by the policy of its key. See [`Call::run`].
    ///
    /// # Errors
    ///
    /// [`Error`] with the reason why the call ended and the last error that the operation returned.
    pub fn run<'a, 'k, F, Fut, T, E, M>(
        &'a self,
        key: impl Into<KeyRef<'k>>,
        operation: F,
    ) -> impl Future<Output = Result<T, Error<E>>>
    where
        F: FnMut(Attempt) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        T: 'static,
        E: Failure<M>,
    {
        self.call(key).run(operation)
    }

    /// Runs an operation that borrows its captures mutably, one attempt at a time. See [`Call::run_mut`].
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let mut tries = Vec::new();
    /// let result = recourse::default_executor()
    ///     .run_mut("inventory.Count", async |attempt| {
    ///         tries.push(attempt.index());
    ///         if tries.len() < 2 { Err(std::io::Error::other("reset")) } else { Ok(()) }
    ///     })
    ///     .await;
    /// assert!(result.is_ok());
    /// assert_eq!(tries, [0, 1]);
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_mut<'k, F, T, E, M>(
        &self,
        key: impl Into<KeyRef<'k>>,
        operation: F,
    ) -> impl Future<Output = Result<T, Error<E>>>
    where
        F: AsyncFnMut(Attempt) -> Result<T, E>,
        T: 'static,
        E: Failure<M>,
    {
        self.call(key).run_mut(operation)
    }

    /// Runs an operation with a mutable state, one attempt at a time. See [`Call::run_with`].
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let mut buffer = Vec::new();
    /// let read = recourse::default_executor()
    ///     .run_with("files.Read", &mut buffer, |buffer, _| {
    ///         Box::pin(async move {
    ///             buffer.clear();
    ///             buffer.extend(*b"data");
    ///             Ok::<_, std::io::Error>(buffer.len())
    ///         })
    ///     })
    ///     .await;
    /// assert_eq!(read.unwrap(), 4);
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_with<'k, S, F, T, E, M>(
        &self,
        key: impl Into<KeyRef<'k>>,
        state: &mut S,
        operation: F,
    ) -> impl Future<Output = Result<T, Error<E>>>
    where
        S: ?Sized,
        F: for<'o> FnMut(&'o mut S, Attempt) -> Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'o>>,
        T: 'static,
        E: Failure<M>,
    {
        self.call(key).run_with(state, operation)
    }

    /// One call in the making, for what the call site has to say beside its key.
    #[inline]
    pub fn call<'k>(&self, key: impl Into<KeyRef<'k>>) -> Call<'_> {
        let shared = &self.0;
        Call::new(shared, shared.slots.target(&key.into(), &shared.world))
    }

    /// A prepared key: calls through it skip the look-up. It sees every change of policies and plugins.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the text is no key.
    pub fn handle<'k>(&self, key: impl Into<KeyRef<'k>>) -> Result<Handle, KeyError> {
        let key = key.into().into_key()?;
        Ok(Handle { slot: self.0.slots.shared(&key), executor: self.clone() })
    }

    /// What a call with this key would do: in words (`Display`) and as data.
    ///
    /// # Errors
    ///
    /// [`ExplainError`] if the text is no key, or the provider's answer has to be awaited and no call has done so yet.
    pub fn explain<'k>(&self, key: impl Into<KeyRef<'k>>) -> Result<Explanation, ExplainError> {
        Explanation::new(&self.0, key.into())
    }

    /// What normalisation changed in the policies that were given to the builder.
    #[must_use]
    pub fn policy_changes(&self) -> &[PolicyChange] {
        &self.0.changes
    }

    /// The executor's classifiers; a change takes effect at the next call.
    #[must_use]
    pub fn classifiers(&self) -> &Registry<dyn Classifier> {
        &self.0.world.classifiers
    }

    /// The executor's budgets; a change takes effect at the next call.
    #[must_use]
    pub fn budgets(&self) -> &Registry<dyn Budget> {
        &self.0.world.budgets
    }

    /// The executor's hedge triggers; a change takes effect at the next call.
    #[must_use]
    pub fn hedge_triggers(&self) -> &Registry<dyn HedgeTrigger> {
        &self.0.world.triggers
    }

    /// The executor's kinds of circuit breakers; a change takes effect at the next call.
    #[must_use]
    pub fn circuit_breakers(&self) -> &Registry<dyn BreakerFactory> {
        &self.0.world.breakers
    }

    /// How many panics of plugins were caught.
    #[must_use]
    pub fn plugin_panics(&self) -> PanicCounts {
        self.0.fence.counts()
    }

    /// The state of a key's circuit; `None` where there is none: no call has needed a breaker yet, or the key's policy
    /// has its circuit off by now.
    ///
    /// The policy is asked for where it may have changed, as a call would, but not awaited: then that of the last call
    /// counts. So a provider must not ask for it in turn. A circuit that a policy switches off keeps its state and its
    /// mode, and goes on from there when one switches it on again.
    #[must_use]
    pub fn circuit_state<'k>(&self, key: impl Into<KeyRef<'k>>) -> Option<CircuitState> {
        self.with_breaker(key.into(), |breaker| breaker.state())
    }

    /// State, counts and the last trip of a key's circuit, as of now; `None` as for [`circuit_state`](Self::circuit_state).
    #[must_use]
    pub fn circuit_status<'k>(&self, key: impl Into<KeyRef<'k>>) -> Option<CircuitStatus> {
        let now = Now::at(self.now());
        self.with_breaker(key.into(), |breaker| breaker.status(&now))
    }

    /// Overrides what a key's breaker does, until it is set again: forces it open or closed, has it observe, switches it
    /// off and on. `false` where the key has no circuit (see [`circuit_state`](Self::circuit_state)), or it can't be
    /// overridden.
    ///
    /// Observers hear of it as of any change of the circuit, with the mode's name as the cause, also where the state that
    /// shows stays as it was; they hear nothing where the breaker had this mode.
    ///
    /// ```
    /// use recourse::{CircuitMode, Executor, Key, Observer, Policy, StopReason, Transition};
    /// use std::time::Duration;
    ///
    /// struct Log;
    /// impl Observer for Log {
    ///     fn on_circuit_transition(&self, key: &Key, change: &Transition) {
    ///         println!("{key}: {} -> {} ({})", change.from, change.to, change.cause);
    ///     }
    /// }
    ///
    /// # futures::executor::block_on(async {
    /// let policy = Policy::new().circuit(5, Duration::from_secs(10));
    /// let executor = Executor::builder().observer(Log).policy("stock.Count", policy).build()?;
    /// let call = || executor.run("stock.Count", |_| async { Ok::<_, std::io::Error>(7) });
    /// assert!(call().await.is_ok());
    ///
    /// // stock.Count: closed -> open (forced_open)
    /// assert!(executor.set_circuit_mode("stock.Count", CircuitMode::ForcedOpen));
    /// assert_eq!(call().await.unwrap_err().stop_reason(), StopReason::CircuitOpen);
    /// // stock.Count: open -> closed (enforcing)
    /// executor.set_circuit_mode("stock.Count", CircuitMode::Enforcing);
    /// assert!(call().await.is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub fn set_circuit_mode<'k>(&self, key: impl Into<KeyRef<'k>>, mode: CircuitMode) -> bool {
        let shared = &self.0;
        let Some(slot) = self.circuit_of(key.into()) else { return false };
        let ModeChange::Set(change) = slot.change_mode(&shared.fence, mode, self.now()) else { return false };
        if let Some(change) = change {
            let audience = Audience { shared, key: &slot.key, in_drop: false };
            audience.tell(|observer| observer.on_circuit_transition(audience.key, &change));
        }
        true
    }

    /// A clock that panics must not stand between an operator and the circuit.
    fn now(&self) -> Moment {
        let shared = &self.0;
        shared.fence.run(Component::Clock, || shared.clock.now()).unwrap_or(Moment::ZERO)
    }

    fn with_breaker<R>(&self, key: KeyRef<'_>, ask: impl FnOnce(&dyn CircuitBreaker) -> R) -> Option<R> {
        self.circuit_of(key)?.with_breaker(&self.0.fence, ask)
    }

    /// The slot of a key that has a circuit.
    fn circuit_of(&self, key: KeyRef<'_>) -> Option<&Slot> {
        let (key, shared) = (key.into_key().ok()?, &self.0);
        let slot = shared.slots.find(key.fingerprint(), key.as_str());
        slot.filter(|slot| slot.has_circuit(&shared.world))
    }

    /// Keys that have state of their own.
    #[must_use]
    pub fn key_count(&self) -> usize {
        self.0.slots.len()
    }
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor")
            .field("keys", &self.key_count())
            .field("classifiers", self.classifiers())
            .field("budgets", self.budgets())
            .field("hedge_triggers", self.hedge_triggers())
            .field("circuit_breakers", self.circuit_breakers())
            .finish_non_exhaustive()
    }
}

/// A prepared key of an executor. A clone is cheap.
///
/// ```
/// # futures::executor::block_on(async {
/// let charge = recourse::default_executor().handle("payments.Charge")?;
/// let receipt = charge.run(|_| async { Ok::<_, std::io::Error>(7) }).await?;
/// assert_eq!(receipt, 7);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Handle {
    executor: Executor,
    slot: Arc<Slot>,
}

impl Handle {
    /// The key.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.slot.key
    }

    /// Runs an operation. See [`Call::run`].
    ///
    /// # Errors
    ///
    /// As [`Executor::run`].
    pub fn run<'a, F, Fut, T, E, M>(
        &'a self,
        operation: F,
    ) -> impl Future<Output = Result<T, Error<E>>> + use<'a, F, Fut, T, E, M>
    where
        F: FnMut(Attempt) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        T: 'static,
        E: Failure<M>,
    {
        self.call().run(operation)
    }

    /// One call in the making.
    pub fn call(&self) -> Call<'_> {
        Call::new(&self.executor.0, Target::kept(&self.slot))
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handle").field(self.key()).finish()
    }
}
