//! [`Call`]: one call in the making.

use crate::call::borrowed::{drive_mut, drive_with};
use crate::call::driver::{Captured, Plain};
use crate::call::nesting::Nesting;
use crate::call::owned::drive;
use crate::call::site::Site;
use crate::error::Error;
use crate::plan::{Target, Unkept};
use crate::shared::Shared;
use recourse_core::{Attempt, Failure, Timeline};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// One call in the making: what the call site has to say beside its key.
///
/// ```
/// # futures::executor::block_on(async {
/// let (result, timeline) = recourse::call("payments.Charge")
///     .idempotent(false)
///     .run_captured(|_| async { Ok::<_, std::io::Error>(7) })
///     .await;
/// assert_eq!(result.unwrap(), 7);
/// assert_eq!(timeline.attempts().len(), 1);
/// # });
/// ```
/// An operation that borrows its captures mutably goes through [`run_mut`](Call::run_mut):
///
/// ```
/// let mut tries = 0;
/// let call = recourse::default_executor().run_mut("inventory.Count", async |_| {
///     tries += 1;
///     Ok::<_, std::io::Error>(tries)
/// });
/// drop(call);
/// ```
///
/// Stable Rust can't prove that this call is `Send`; [`run_with`](Call::run_with) is the `Send` way:
///
/// ```compile_fail
/// fn send<T: Send>(call: T) -> T { call }
/// let mut tries = 0;
/// let call = send(recourse::default_executor().run_mut("inventory.Count", async |_| {
///     tries += 1;
///     Ok::<_, std::io::Error>(tries)
/// }));
/// drop(call);
/// ```
///
/// [`run`](Call::run) may have several attempts in flight, so its operation can't hold the only `&mut`:
///
/// ```compile_fail
/// let mut tries = 0;
/// let call = recourse::run("inventory.Count", |_| async { tries += 1; Ok::<_, std::io::Error>(tries) });
/// ```
///
/// An operation fails with an error type; a text is none:
///
/// ```compile_fail
/// let call = recourse::run("inventory.Count", |_| async { Err::<u32, String>("down".to_owned()) });
/// ```
#[must_use = "a call does nothing until it is run"]
pub struct Call<'a> {
    site: Site<'a>,
    unkept: Option<Box<Unkept>>,
}

impl<'a> Call<'a> {
    #[inline]
    pub(crate) fn new(shared: &'a Arc<Shared>, target: Target<'a>) -> Self {
        let Target { slot, unkept } = target;
        Call { site: Site { shared, slot, idempotent: None, within: Nesting::NONE }, unkept }
    }

    /// Says whether the operation may be repeated when nobody knows whether it took effect. Marked `false`, an
    /// attempt that times out is not retried by the `http` classifier. `true` is what it takes to be so anyway: an
    /// answer is judged by its method, and no other built-in classifier asks.
    pub fn idempotent(mut self, idempotent: bool) -> Self {
        self.site.idempotent = Some(idempotent);
        self
    }

    /// Says that the call runs inside this attempt of another call, for a policy that
    /// [leaves retrying to it](recourse_core::Policy::leave_retries_to_outer). A call that the attempt's own future polls
    /// knows; one that was spawned as a task of its own has to be told.
    ///
    /// ```
    /// use recourse::{Executor, Policy};
    ///
    /// # fn main() -> Result<(), recourse::BuildError> {
    /// let executor = Executor::builder()
    ///     .policy("shop.Checkout", Policy::new())
    ///     .policy("payments.Charge", Policy::new().leave_retries_to_outer(true))
    ///     .build()?;
    /// let checkout = executor.run("shop.Checkout", |attempt| {
    ///     let executor = executor.clone();
    ///     async move {
    ///         let charge = executor.call("payments.Charge").within(attempt);
    ///         charge.run(|_| async { Err::<(), _>(std::io::Error::other("down")) }).await
    ///     }
    /// });
    /// let error = futures::executor::block_on(checkout).unwrap_err();
    /// assert_eq!(error.attempts(), 3); // not nine
    /// # Ok(())
    /// # }
    /// ```
    pub fn within(mut self, attempt: Attempt) -> Self {
        self.site.within = self.site.within.and(Nesting::within(attempt));
        self
    }

    /// Runs the operation by the key's policy.
    ///
    /// The closure is called once an attempt. Closure and future may borrow, and need be neither `Send` nor `Clone`;
    /// the call is `Send` when closure, future, value and error are.
    ///
    /// # Errors
    ///
    /// [`Error`] with the reason why the call ended and the last error that the operation returned. If the last thing
    /// that it returned was a value, the value is returned, however it was classified.
    ///
    /// # Cancellation
    ///
    /// Dropping the future drops the attempts in flight and gives back every permit, probe and token; observers hear
    /// one failure, `context_canceled`.
    #[inline]
    pub fn run<F, Fut, T, E, M>(
        self,
        operation: F,
    ) -> impl Future<Output = Result<T, Error<E>>> + use<'a, F, Fut, T, E, M>
    where
        F: FnMut(Attempt) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        T: 'static,
        E: Failure<M>,
    {
        drive::<Plain, T, E, M, F, Fut>(self.site, self.unkept, operation)
    }

    /// As [`run`](Self::run), with the call's timeline. Calls inside the operation don't write into it.
    pub fn run_captured<F, Fut, T, E, M>(
        self,
        operation: F,
    ) -> impl Future<Output = (Result<T, Error<E>>, Timeline)> + use<'a, F, Fut, T, E, M>
    where
        F: FnMut(Attempt) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        T: 'static,
        E: Failure<M>,
    {
        drive::<Captured, T, E, M, F, Fut>(self.site, self.unkept, operation)
    }

    /// As [`run`](Self::run), for an operation that borrows its captures mutably. One attempt runs at a time: a
    /// hedging policy runs unhedged, and the timeline says so.
    ///
    /// The future is `Send` when the closure owns its captures. With borrowed ones stable Rust can't prove it
    /// ([rust 139475](https://github.com/rust-lang/rust/issues/139475)); [`run_with`](Self::run_with) is the `Send` way.
    pub fn run_mut<F, T, E, M>(
        self,
        operation: F,
    ) -> impl Future<Output = Result<T, Error<E>>> + use<'a, F, T, E, M>
    where
        F: AsyncFnMut(Attempt) -> Result<T, E>,
        T: 'static,
        E: Failure<M>,
    {
        drive_mut::<Plain, T, E, M, F>(self.site, self.unkept, operation)
    }

    /// As [`run_mut`](Self::run_mut), with the call's timeline.
    pub fn run_mut_captured<F, T, E, M>(
        self,
        operation: F,
    ) -> impl Future<Output = (Result<T, Error<E>>, Timeline)> + use<'a, F, T, E, M>
    where
        F: AsyncFnMut(Attempt) -> Result<T, E>,
        T: 'static,
        E: Failure<M>,
    {
        drive_mut::<Captured, T, E, M, F>(self.site, self.unkept, operation)
    }

    /// As [`run_mut`](Self::run_mut), with the mutable state as an argument, so that the call is `Send`.
    pub fn run_with<'s, S, F, T, E, M>(
        self,
        state: &'s mut S,
        operation: F,
    ) -> impl Future<Output = Result<T, Error<E>>> + use<'a, 's, S, F, T, E, M>
    where
        S: ?Sized,
        F: for<'o> FnMut(&'o mut S, Attempt) -> Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'o>>,
        T: 'static,
        E: Failure<M>,
    {
        drive_with::<Plain, T, E, M, S, F>(self.site, self.unkept, state, operation)
    }

    /// As [`run_with`](Self::run_with), with the call's timeline.
    pub fn run_with_captured<'s, S, F, T, E, M>(
        self,
        state: &'s mut S,
        operation: F,
    ) -> impl Future<Output = (Result<T, Error<E>>, Timeline)> + use<'a, 's, S, F, T, E, M>
    where
        S: ?Sized,
        F: for<'o> FnMut(&'o mut S, Attempt) -> Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'o>>,
        T: 'static,
        E: Failure<M>,
    {
        drive_with::<Captured, T, E, M, S, F>(self.site, self.unkept, state, operation)
    }
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut call = f.debug_struct("Call");
        if let Some(key) = self.unkept.as_deref().map(Unkept::key).or(self.site.slot.map(|slot| &slot.key)) {
            call.field("key", key);
        }
        call.field("idempotent", &self.site.idempotent).finish()
    }
}
