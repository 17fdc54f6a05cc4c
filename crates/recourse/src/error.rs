//! [`Error`]: why a call ended, with the last error that the operation itself returned.

use recourse_core::{Key, Label, StopReason, reason};
use std::cell::Cell;
use std::error::Error as StdError;
use std::fmt;
use std::mem;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

/// A call that did not succeed: why it ended, and the last error that the operation itself returned.
///
/// It implements [`std::error::Error`] for every error type that an operation may have: enums that derive it,
/// `io::Error`, `anyhow::Error` and `Box<dyn Error + Send + Sync>`. So `?` works into `anyhow::Error`, and into an
/// enum with one `#[from]`.
///
/// `Display` names the last error of the operation, so that a plain log line shows it, and
/// [`source`](std::error::Error::source) gives it too, so that it can be found by type. Whoever prints the whole chain
/// (`{:#}` of `anyhow`, say) reads it twice.
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
    end: Kept,
    inner: Option<E>,
    look: fn(&E) -> &(dyn StdError + 'static),
}

/// How a call ended.
pub(crate) struct CallEnd {
    pub(crate) stop: StopReason,
    pub(crate) key: Key,
    pub(crate) attempts: u32,
    pub(crate) elapsed: Duration,
    pub(crate) reason: Label,
    pub(crate) cause: Option<Arc<dyn StdError + Send + Sync>>,
}

/// A [`CallEnd`] in memory that its thread uses again, so that an error is small and allocates nothing in the long run.
struct Kept(Option<Room>);

/// `None` inside while no error is kept there.
type Room = Box<Option<CallEnd>>;

/// Stands where nothing is kept.
const NOTHING: CallEnd = CallEnd {
    stop: StopReason::Abort,
    key: Key::from_static("none"),
    attempts: 0,
    elapsed: Duration::ZERO,
    reason: Label::EMPTY,
    cause: None,
};

static NOWHERE: CallEnd = NOTHING;

thread_local! {
    /// The memory of the error that was dropped last on this thread.
    static SPARE: Cell<Option<Room>> = const { Cell::new(None) };
}

impl Kept {
    /// The end is made when there is room for it, and inlined: so it is written where it is kept, and not copied there.
    #[inline(always)]
    fn new(end: impl FnOnce() -> CallEnd) -> Self {
        let mut room = Kept::room();
        debug_assert!(room.is_none());
        // Nothing is lost that would have to be dropped.
        mem::forget(room.replace(end()));
        Kept(Some(room))
    }

    #[inline]
    fn room() -> Room {
        SPARE.try_with(Cell::take).ok().flatten().unwrap_or_default()
    }
}

impl Deref for Kept {
    type Target = CallEnd;

    fn deref(&self) -> &CallEnd {
        self.0.as_deref().and_then(Option::as_ref).unwrap_or(&NOWHERE)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(mut room) = self.0.take() {
            *room = None;
            // A thread that is ending keeps nothing.
            let _ = SPARE.try_with(|spare| spare.set(Some(room)));
        }
    }
}

impl<E> Error<E> {
    #[inline(always)]
    pub(crate) fn new(
        end: impl FnOnce() -> CallEnd,
        inner: Option<E>,
        look: fn(&E) -> &(dyn StdError + 'static),
    ) -> Self {
        Error { end: Kept::new(end), inner, look }
    }

    /// Of a call whose first attempt was refused.
    #[inline(always)]
    pub(crate) fn refused(key: &Key, stop: StopReason, look: fn(&E) -> &(dyn StdError + 'static)) -> Self {
        let end = || CallEnd {
            stop,
            key: key.clone(),
            attempts: 0,
            elapsed: Duration::ZERO,
            reason: Label::from_static(""),
            cause: None,
        };
        Error::new(end, None, look)
    }

    /// Why the call ended.
    #[must_use]
    pub fn stop_reason(&self) -> StopReason {
        self.end.stop
    }

    /// The call's key; `invalid_key` where the text was none.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.end.key
    }

    /// Attempts that were launched, hedges included and denied ones not.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.end.attempts
    }

    /// How long the call took, from the moment at which it first had to wait: for an attempt, or between two. Zero where
    /// it never had to. Waits that were over at once count as long as they were asked for.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.end.elapsed
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

    /// What the classifier said of the attempt that decided its group, the last one that was decided: `http_5xx`, say.
    /// Empty where no attempt has ended.
    #[must_use]
    pub fn outcome_reason(&self) -> &str {
        &self.end.reason
    }

    /// What lies behind a stop that is not the operation's doing:
    ///
    /// | type | behind |
    /// |---|---|
    /// | [`MissingPlugin`](crate::MissingPlugin) | `budget_not_found`, `breaker_not_found`, `classifier_not_found` |
    /// | [`KeyError`](crate::KeyError) | `invalid_key` |
    /// | [`ProviderError`](crate::ProviderError) | `no_policy`: the provider has none |
    /// | [`PolicyError`](crate::PolicyError) | `no_policy`: the provider's policy has a value that nothing can be made of |
    /// | [`PanicError`](crate::PanicError) | `no_policy` where the provider panicked, and `panic_in_<component>` |
    #[must_use]
    pub fn cause(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        self.end.cause.as_deref()
    }
}

impl<E> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.end.stop != StopReason::InvalidKey {
            write!(f, "{}: ", self.end.key)?;
        }
        write!(f, "{}", self.end.stop)?;
        match self.end.attempts {
            0 => {}
            1 => f.write_str(" after 1 attempt")?,
            many => write!(f, " after {many} attempts")?,
        }
        if !self.end.elapsed.is_zero() {
            write!(f, " in {:.1?}", self.end.elapsed)?;
        }
        if !matches!(
            self.outcome_reason(),
            "" | reason::SUCCESS | reason::RETRYABLE_ERROR | reason::NON_RETRYABLE_ERROR
        ) && self.outcome_reason() != self.end.stop.as_str()
        {
            write!(f, ", {}", self.outcome_reason())?;
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
            .field("key", &self.end.key)
            .field("stop", &self.end.stop)
            .field("attempts", &self.end.attempts)
            .field("elapsed", &self.end.elapsed)
            .field("inner", &self.inner.as_ref().map(self.look))
            .field("reason", &self.end.reason)
            .field("cause", &self.end.cause)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn error(end: CallEnd) -> Error<fmt::Error> {
        Error::new(|| end, Some(fmt::Error), |error| error)
    }

    #[test]
    fn an_error_in_used_memory_tells_nothing_of_the_one_before_which_is_let_go_of() {
        let cause: Arc<dyn StdError + Send + Sync> = Arc::new(fmt::Error);
        let key = Key::new("svc.op").unwrap();
        for _ in 0..3 {
            let end = CallEnd {
                stop: StopReason::Abort,
                key: key.clone(),
                attempts: 2,
                elapsed: Duration::from_secs(1),
                reason: Label::new("why"),
                cause: Some(Arc::clone(&cause)),
            };
            let one = error(end);
            let other: Error<fmt::Error> = Error::refused(&key, StopReason::CircuitOpen, |error| error);
            assert_eq!((one.attempts(), one.outcome_reason(), one.cause().is_some()), (2, "why", true));
            drop((one, other));
            let next: Error<fmt::Error> = Error::refused(&key, StopReason::CircuitOpen, |error| error);
            assert_eq!((next.stop_reason(), next.key()), (StopReason::CircuitOpen, &key));
            assert_eq!((next.attempts(), next.elapsed(), next.outcome_reason()), (0, Duration::ZERO, ""));
            assert!(next.inner().is_none() && next.cause().is_none());
            assert_eq!(Arc::strong_count(&cause), 1);
        }
    }
}
