//! The process-wide executor, for programs that need no set-up.

use crate::call::Call;
use crate::error::Error;
use crate::executor::Executor;
use crate::key_ref::KeyRef;
use crate::missing::MissingPolicy;
use recourse_core::{Attempt, Failure};
use std::fmt;
use std::future::Future;
use std::sync::OnceLock;

static DEFAULT: OnceLock<Executor> = OnceLock::new();

/// The process-wide executor. Made on first use if none was set: then a key without a policy gets the default one.
pub fn default_executor() -> &'static Executor {
    DEFAULT.get_or_init(|| {
        let built = Executor::builder().missing_policy(MissingPolicy::Fallback).build();
        built.unwrap_or_else(|error| unreachable!("a builder without policies has no problems: {error}"))
    })
}

/// Sets the process-wide executor. Works once, before its first use.
///
/// # Errors
///
/// [`SetDefaultError`], which hands the executor back, if one was set or used already.
pub fn set_default(executor: Executor) -> Result<(), SetDefaultError> {
    DEFAULT.set(executor).map_err(SetDefaultError)
}

/// The process-wide executor was set or used already. Holds the executor that was refused.
#[derive(Clone, Debug)]
pub struct SetDefaultError(Executor);

impl SetDefaultError {
    /// The executor that was refused.
    #[must_use]
    pub fn into_executor(self) -> Executor {
        self.0
    }
}

impl fmt::Display for SetDefaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the process-wide executor was set or used already: set it once, before the first call")
    }
}

impl std::error::Error for SetDefaultError {}

/// Runs an operation on the process-wide executor. See [`Executor::run`].
///
/// ```
/// # futures::executor::block_on(async {
/// let user = recourse::run("user-service.GetUser", |_| async { Ok::<_, std::io::Error>("Ada") }).await?;
/// assert_eq!(user, "Ada");
/// # Ok::<(), recourse::Error<std::io::Error>>(())
/// # }).unwrap();
/// ```
///
/// # Errors
///
/// As [`Executor::run`].
pub fn run<'k, F, Fut, T, E, M>(
    key: impl Into<KeyRef<'k>>,
    operation: F,
) -> impl Future<Output = Result<T, Error<E>>>
where
    F: FnMut(Attempt) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    T: 'static,
    E: Failure<M>,
{
    default_executor().run(key, operation)
}

/// One call on the process-wide executor, in the making. See [`Executor::call`].
pub fn call<'k>(key: impl Into<KeyRef<'k>>) -> Call<'static> {
    default_executor().call(key)
}
