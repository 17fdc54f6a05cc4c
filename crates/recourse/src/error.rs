//! [`Error`]: why a call ended, with the last error that the operation itself returned.

use recourse_core::{Key, Label, StopReason};
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A call that did not succeed: why it ended, and the last error that the operation itself returned.
///
/// It implements [`std::error::Error`] for every error type that an operation may have: enums that derive it,
/// `io::Error`, `anyhow::Error` and `Box<dyn Error + Send + Sync>`. So `?` works into `anyhow::Error`, and into an
/// enum with one `#[from]`.
///
/// ```
/// use recourse::StopReason;
/// # futures::executor::block_on(async {
/// let error = recourse::run("inventory.Count", |_| async { Err::<u32, _>(std::io::Error::other("down")) })
///     .await
///     .unwrap_err();
/// assert_eq!(error.stop_reason(), StopReason::AttemptsExhausted);
/// assert_eq!(error.attempts(), 3);
/// assert_eq!(error.into_inner().unwrap().to_string(), "down");
/// # });
/// ```
pub struct Error<E> {
    pub(crate) stop: StopReason,
    pub(crate) key: Key,
    pub(crate) attempts: u32,
    pub(crate) elapsed: Duration,
    pub(crate) inner: Option<E>,
    pub(crate) reason: Label,
    pub(crate) cause: Option<Arc<dyn StdError + Send + Sync>>,
    pub(crate) look: fn(&E) -> &(dyn StdError + 'static),
}

impl<E> Error<E> {
    /// Why the call ended.
    #[must_use]
    pub fn stop_reason(&self) -> StopReason {
        self.stop
    }

    /// The call's key; `invalid_key` where the text was none.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Attempts that were launched, hedges included and denied ones not.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// How long the call took, from the moment at which it first had to wait or an attempt first failed.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// The last error that the operation itself returned, even if a later attempt timed out or was denied.
    #[must_use]
    pub fn inner(&self) -> Option<&E> {
        self.inner.as_ref()
    }

    /// The last error that the operation itself returned, even if a later attempt timed out or was denied.
    #[must_use]
    pub fn into_inner(self) -> Option<E> {
        self.inner
    }

    /// What the classifier said of the attempt that decided the last group: `http_5xx`, say. Empty where no attempt
    /// has ended.
    #[must_use]
    pub fn outcome_reason(&self) -> &str {
        &self.reason
    }

    /// What lies behind a stop that is not the operation's doing: the provider's error, or a
    /// [`PanicError`](crate::PanicError).
    #[must_use]
    pub fn cause(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        self.cause.as_deref()
    }
}

impl<E> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.stop != StopReason::InvalidKey {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "{}", self.stop)?;
        match self.attempts {
            0 => {}
            1 => f.write_str(" after 1 attempt")?,
            many => write!(f, " after {many} attempts")?,
        }
        if !self.elapsed.is_zero() {
            write!(f, " in {:.1?}", self.elapsed)?;
        }
        if let Some(cause) = self.cause() {
            write!(f, " ({cause})")?;
        }
        match &self.inner {
            Some(inner) => write!(f, ": {}", (self.look)(inner)),
            None => Ok(()),
        }
    }
}

impl<E> fmt::Debug for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("key", &self.key)
            .field("stop", &self.stop)
            .field("attempts", &self.attempts)
            .field("elapsed", &self.elapsed)
            .field("inner", &self.inner.as_ref().map(self.look))
            .field("reason", &self.reason)
            .field("cause", &self.cause)
            .finish()
    }
}

impl<E: 'static> StdError for Error<E> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.inner {
            Some(inner) => Some((self.look)(inner)),
            None => self.cause().map(|cause| cause as &(dyn StdError + 'static)),
        }
    }
}
