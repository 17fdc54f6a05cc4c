//! [`Classifier`]: judges the result of an attempt.

use crate::failure::{Failure, find_error, is_judged, may_hold_judged};
use crate::outcome::Outcome;
use std::any::{Any, type_name};
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// Judges the result of an attempt: success, retryable, non-retryable or abort.
///
/// Be conservative: what can't be judged is [non-retryable](Outcome::non_retryable), and an error type that the
/// classifier doesn't know is a configuration error, [`type_mismatch`]. Keep attributes low-cardinality. It is called
/// on the caller's task, once an attempt, and must not block.
///
/// ```
/// use recourse_core::{AttemptResult, Classifier, Outcome};
///
/// /// An empty answer means "not yet".
/// struct NotYet;
/// impl Classifier for NotYet {
///     fn classify(&self, result: &AttemptResult<'_>) -> Outcome {
///         match result.value::<Option<u64>>() {
///             Some(None) => Outcome::retryable("not_yet"),
///             Some(Some(_)) => Outcome::success(),
///             None => Outcome::non_retryable(""),
///         }
///     }
/// }
/// assert_eq!(NotYet.classify(&AttemptResult::of_value(&None::<u64>)).reason, "not_yet");
/// ```
pub trait Classifier: Send + Sync {
    /// The outcome of one attempt.
    fn classify(&self, result: &AttemptResult<'_>) -> Outcome;

    /// Whether values have to be judged; asked once a plan. Where it says `false`, every value is a success, and
    /// [`classify`](Self::classify) is called for errors and timeouts alone.
    fn judges_values(&self) -> bool {
        true
    }
}

impl<C: Classifier + ?Sized> Classifier for Arc<C> {
    fn classify(&self, result: &AttemptResult<'_>) -> Outcome {
        (**self).classify(result)
    }
    fn judges_values(&self) -> bool {
        (**self).judges_values()
    }
}

/// The result of one attempt with its types erased: a value, an error, or no answer in time.
#[derive(Clone, Copy)]
pub struct AttemptResult<'a> {
    what: What<'a>,
    idempotent: Option<bool>,
}

#[derive(Clone, Copy)]
enum What<'a> {
    Value(&'a dyn Any, &'static str),
    Error(Failed<'a>),
    TimedOut,
}

/// An error that an operation returned.
#[derive(Clone, Copy)]
struct Failed<'a> {
    value: &'a dyn Any,
    error: &'a (dyn Error + 'static),
    /// None of the types that built-in classifiers look for is the head, or in it: then nobody has to ask it for its type.
    foreign: bool,
    type_name: &'static str,
}

impl<'a> Failed<'a> {
    /// The first `T` in the chain.
    #[inline]
    fn find<T: Error + 'static>(&self) -> Option<&'a T> {
        if self.foreign && is_judged::<T>() {
            return find_error(self.error.source()?);
        }
        find_error(self.error)
    }
}

impl<'a> AttemptResult<'a> {
    /// The operation returned a value.
    #[must_use]
    #[inline]
    pub fn of_value<T: Any>(value: &'a T) -> Self {
        AttemptResult { what: What::Value(value, type_name::<T>()), idempotent: None }
    }

    /// The operation returned an error.
    #[must_use]
    #[inline]
    pub fn of_error<M, E: Failure<M>>(error: &'a E) -> Self {
        let foreign = E::IS_ITSELF && !may_hold_judged::<E>();
        let failed = Failed { value: error, error: error.as_error(), foreign, type_name: type_name::<E>() };
        AttemptResult { what: What::Error(failed), idempotent: None }
    }

    /// The attempt ran out of its time.
    #[must_use]
    #[inline]
    pub const fn of_timeout() -> Self {
        AttemptResult { what: What::TimedOut, idempotent: None }
    }

    /// The same with what the call site said of repeating the operation.
    #[must_use]
    #[inline]
    pub const fn with_idempotent(mut self, idempotent: Option<bool>) -> Self {
        self.idempotent = idempotent;
        self
    }

    /// The value, if there is one of this type.
    #[must_use]
    #[inline]
    pub fn value<T: Any>(&self) -> Option<&'a T> {
        match self.what {
            What::Value(value, _) => value.downcast_ref(),
            _ => None,
        }
    }

    /// The value, whatever its type.
    #[must_use]
    #[inline]
    pub fn any_value(&self) -> Option<&'a dyn Any> {
        match self.what {
            What::Value(value, _) => Some(value),
            _ => None,
        }
    }

    /// The error, if there is one: the head of its source chain.
    #[must_use]
    #[inline]
    pub fn error(&self) -> Option<&'a (dyn Error + 'static)> {
        match self.what {
            What::Error(failed) => Some(failed.error),
            _ => None,
        }
    }

    /// The error that the operation returned, if it is of exactly this type. See [`find`](Self::find) for its chain.
    #[must_use]
    pub fn error_as<E: Any>(&self) -> Option<&'a E> {
        match self.what {
            What::Error(failed) => failed.value.downcast_ref(),
            _ => None,
        }
    }

    /// The first error of type `T` in the source chain, as [`find_error`] finds it.
    #[inline]
    #[must_use]
    pub fn find<T: Error + 'static>(&self) -> Option<&'a T> {
        match self.what {
            What::Error(failed) => failed.find(),
            _ => None,
        }
    }

    /// Whether the operation returned a value.
    #[must_use]
    #[inline]
    pub fn is_value(&self) -> bool {
        matches!(self.what, What::Value(..))
    }

    /// Whether the attempt ran out of its time.
    #[must_use]
    #[inline]
    pub fn timed_out(&self) -> bool {
        matches!(self.what, What::TimedOut)
    }

    /// What the call site said of repeating the operation; `None` if it said nothing.
    #[must_use]
    #[inline]
    pub fn idempotent(&self) -> Option<bool> {
        self.idempotent
    }

    /// The type of the value or error.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self.what {
            What::Value(_, name) => name,
            What::Error(failed) => failed.type_name,
            What::TimedOut => "timeout",
        }
    }
}

impl fmt::Debug for AttemptResult<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            What::Value(_, name) => write!(f, "AttemptResult::Value({name})"),
            What::Error(failed) => write!(f, "AttemptResult::Error({:?})", failed.error),
            What::TimedOut => f.write_str("AttemptResult::TimedOut"),
        }
    }
}

/// The outcome for an error type that a classifier doesn't know: non-retryable, `classifier_type_mismatch`.
///
/// ```
/// use recourse_core::{AttemptResult, Cancelled, type_mismatch};
///
/// let outcome = type_mismatch("HttpFailure", &AttemptResult::of_error(&Cancelled));
/// assert_eq!(outcome.reason, "classifier_type_mismatch");
/// assert_eq!(outcome.attributes.get("expected_type"), Some("HttpFailure"));
/// ```
#[must_use]
pub fn type_mismatch(expected: &'static str, result: &AttemptResult<'_>) -> Outcome {
    Outcome::non_retryable(crate::reason::CLASSIFIER_TYPE_MISMATCH)
        .with_attribute("expected_type", expected)
        .with_attribute("got_type", result.type_name())
}
