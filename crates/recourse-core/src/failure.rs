//! Error types that the built-in classifiers look for in a source chain, and what counts as an error at all.

use crate::label::Label;
use std::any::TypeId;
use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// An error type that a classifier can look into. Implemented for every type that an operation may fail with:
/// `E: Error` (enums deriving it, `io::Error`) and `E: AsRef<dyn Error + Send + Sync>` (`anyhow::Error`,
/// `Box<dyn Error + Send + Sync>`).
///
/// The marker `M` tells the two apart and is always inferred; nobody writes it.
///
/// ```
/// use recourse_core::Failure;
///
/// fn message<M, E: Failure<M>>(error: &E) -> String {
///     error.as_error().to_string()
/// }
/// let boxed: Box<dyn std::error::Error + Send + Sync> = "down".into();
/// assert_eq!(message(&boxed), "down");
/// assert_eq!(message(&std::io::Error::other("gone")), "gone");
/// ```
#[diagnostic::on_unimplemented(
    message = "an operation must fail with an error type, and `{Self}` is none",
    label = "the operation's error type is `{Self}`",
    note = "implement `std::error::Error` for it (`#[derive(thiserror::Error)]` does), or use \
            `anyhow::Error` or `Box<dyn Error + Send + Sync>`"
)]
pub trait Failure<M>: 'static {
    /// Whether [`as_error`](Self::as_error) is this very value, and not something in it.
    const IS_ITSELF: bool = false;

    /// The error, for looking along its source chain.
    fn as_error(&self) -> &(dyn Error + 'static);
}

/// Marks error types that implement [`Error`] themselves.
#[derive(Debug)]
pub enum Itself {}

/// Marks error types that hold a boxed [`Error`].
#[derive(Debug)]
pub enum Boxed {}

impl<E: Error + 'static> Failure<Itself> for E {
    const IS_ITSELF: bool = true;

    #[inline]
    fn as_error(&self) -> &(dyn Error + 'static) {
        self
    }
}

impl<E: AsRef<dyn Error + Send + Sync> + 'static> Failure<Boxed> for E {
    fn as_error(&self) -> &(dyn Error + 'static) {
        self.as_ref()
    }
}

/// Finds an error of type `T` anywhere in a source chain, also in a `Box`, in an `Arc`, and inside an `io::Error` that
/// wraps one.
///
/// An error that hides its cause can't be looked through: `#[error(transparent)]` of `thiserror` names the source of the
/// error inside it, and not that error itself. Let such a variant have a text of its own.
///
/// ```
/// use recourse_core::{HttpFailure, find_error};
///
/// let wrapped = std::io::Error::other(HttpFailure::new(503, "GET"));
/// assert_eq!(find_error::<HttpFailure>(&wrapped).map(HttpFailure::status), Some(503));
/// ```
#[must_use]
#[inline(never)]
pub fn find_error<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    // A chain that runs in a circle must not hang the caller.
    const DEEPEST: usize = 64;
    let mut next = Some(error);
    for _ in 0..DEEPEST {
        let error = next?;
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        if let Some(found) = error.downcast_ref::<Box<T>>() {
            return Some(found);
        }
        if let Some(found) = error.downcast_ref::<Arc<T>>() {
            return Some(found);
        }
        // An io::Error names the source of the error inside it, not that error itself.
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// Whether the built-in classifiers look for errors of this type. Known when the caller is compiled.
#[inline(always)]
pub(crate) fn is_judged<T: 'static>() -> bool {
    let is = TypeId::of::<T>();
    is == TypeId::of::<HttpFailure>() || is == TypeId::of::<GrpcFailure>() || is == TypeId::of::<Cancelled>()
}

/// Whether [`find_error`] may find such an error in this very value, and not only behind it.
#[inline(always)]
pub(crate) fn may_hold_judged<E: 'static>() -> bool {
    is_or_wraps::<E, HttpFailure>()
        || is_or_wraps::<E, GrpcFailure>()
        || is_or_wraps::<E, Cancelled>()
        || TypeId::of::<E>() == TypeId::of::<io::Error>()
}

#[inline(always)]
fn is_or_wraps<E: 'static, T: 'static>() -> bool {
    let is = TypeId::of::<E>();
    is == TypeId::of::<T>() || is == TypeId::of::<Box<T>>() || is == TypeId::of::<Arc<T>>()
}

/// An HTTP exchange that failed: what the `http` classifier looks for.
///
/// ```
/// use recourse_core::HttpFailure;
/// use std::time::Duration;
///
/// let answer = HttpFailure::new(429, "GET").retry_after(Duration::from_secs(3));
/// assert_eq!(answer.to_string(), "GET answered 429");
/// assert_eq!(HttpFailure::transport("GET").to_string(), "GET: no answer");
/// ```
#[derive(Debug)]
pub struct HttpFailure {
    status: u16,
    method: Label,
    retry_after: Option<Duration>,
    do_not_retry: bool,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl HttpFailure {
    /// An answer with this status to a request with this method (`GET`, in capitals). Status 0 is a transport error.
    #[must_use]
    pub fn new(status: u16, method: impl Into<Label>) -> Self {
        HttpFailure { status, method: method.into(), retry_after: None, do_not_retry: false, source: None }
    }

    /// No answer arrived.
    #[must_use]
    pub fn transport(method: impl Into<Label>) -> Self {
        HttpFailure::new(0, method)
    }

    /// The same with the wait that the server asked for; [`server_delay`](Self::server_delay) reads it.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// The same where the server said explicitly not to retry; [`forbids_retry`](Self::forbids_retry) reads it.
    #[must_use]
    pub fn do_not_retry(mut self) -> Self {
        self.do_not_retry = true;
        self
    }

    /// The same with the error below it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The status; 0 for a transport error.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The request's method.
    #[must_use]
    pub fn method(&self) -> &Label {
        &self.method
    }

    /// The wait that the server asked for, as [`retry_after`](Self::retry_after) set it.
    #[must_use]
    pub fn server_delay(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether the server said explicitly not to retry, as [`do_not_retry`](Self::do_not_retry) set it.
    #[must_use]
    pub fn forbids_retry(&self) -> bool {
        self.do_not_retry
    }
}

impl fmt::Display for HttpFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            0 => write!(f, "{}: no answer", self.method),
            status => write!(f, "{} answered {status}", self.method),
        }
    }
}

impl Error for HttpFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

/// A gRPC call that failed: what the `grpc` classifier looks for.
///
/// ```
/// use recourse_core::{GrpcCode, GrpcFailure};
///
/// assert_eq!(GrpcFailure::new(GrpcCode::Unavailable).to_string(), "gRPC status Unavailable");
/// ```
#[derive(Debug)]
pub struct GrpcFailure {
    code: GrpcCode,
    retry_after: Option<Duration>,
    do_not_retry: bool,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl GrpcFailure {
    /// A call that ended with this status.
    #[must_use]
    pub fn new(code: GrpcCode) -> Self {
        GrpcFailure { code, retry_after: None, do_not_retry: false, source: None }
    }

    /// The same with the server's pushback: the wait that it asked for (gRFC A6).
    /// [`server_delay`](Self::server_delay) reads it.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// The same where the server's pushback forbids a retry (gRFC A6: a negative one).
    /// [`forbids_retry`](Self::forbids_retry) reads it.
    #[must_use]
    pub fn do_not_retry(mut self) -> Self {
        self.do_not_retry = true;
        self
    }

    /// The same with the error below it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The status.
    #[must_use]
    pub fn code(&self) -> GrpcCode {
        self.code
    }

    /// The wait that the server asked for, as [`retry_after`](Self::retry_after) set it.
    #[must_use]
    pub fn server_delay(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether the server said explicitly not to retry, as [`do_not_retry`](Self::do_not_retry) set it.
    #[must_use]
    pub fn forbids_retry(&self) -> bool {
        self.do_not_retry
    }
}

impl fmt::Display for GrpcFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gRPC status {}", self.code)
    }
}

impl Error for GrpcFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

macro_rules! codes {
    ($($name:ident = $number:literal / $reason:literal),* $(,)?) => {
        /// A gRPC status code, by the names of the gRPC specification.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs)]
        pub enum GrpcCode { $($name = $number),* }

        impl GrpcCode {
            /// Every code, in the order of their numbers.
            pub const ALL: &[GrpcCode] = &[$(GrpcCode::$name),*];

            /// The name as the specification's Go and Java bindings write it: `DeadlineExceeded`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(GrpcCode::$name => stringify!($name)),* }
            }

            /// The reason code of an outcome with this status: `grpc_Unavailable`.
            #[must_use]
            pub const fn reason(self) -> &'static str {
                match self { $(GrpcCode::$name => $reason),* }
            }
        }
    };
}

codes! {
    Ok = 0 / "grpc_Ok", Cancelled = 1 / "grpc_Cancelled", Unknown = 2 / "grpc_Unknown",
    InvalidArgument = 3 / "grpc_InvalidArgument", DeadlineExceeded = 4 / "grpc_DeadlineExceeded",
    NotFound = 5 / "grpc_NotFound", AlreadyExists = 6 / "grpc_AlreadyExists",
    PermissionDenied = 7 / "grpc_PermissionDenied", ResourceExhausted = 8 / "grpc_ResourceExhausted",
    FailedPrecondition = 9 / "grpc_FailedPrecondition", Aborted = 10 / "grpc_Aborted",
    OutOfRange = 11 / "grpc_OutOfRange", Unimplemented = 12 / "grpc_Unimplemented",
    Internal = 13 / "grpc_Internal", Unavailable = 14 / "grpc_Unavailable", DataLoss = 15 / "grpc_DataLoss",
    Unauthenticated = 16 / "grpc_Unauthenticated",
}

impl fmt::Display for GrpcCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// An error that an operation returns when it was cancelled: the built-in classifiers abort with `context_canceled`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cancelled;

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the operation was cancelled")
    }
}

impl Error for Cancelled {}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Outer(Box<dyn Error + Send + Sync>);
    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("outer")
        }
    }
    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&*self.0)
        }
    }

    #[test]
    fn an_error_is_found_anywhere_in_the_chain() {
        let deep = Outer(Box::new(Outer(Box::new(std::io::Error::other(Cancelled)))));
        assert_eq!(find_error::<Cancelled>(&deep), Some(&Cancelled));
        assert!(find_error::<HttpFailure>(&deep).is_none());
    }

    #[test]
    fn an_error_in_a_box_or_an_arc_is_found_at_any_place() {
        let boxed = Outer(Box::new(Box::new(HttpFailure::new(503, "POST"))));
        let shared = Outer(Box::new(Arc::new(HttpFailure::new(503, "POST"))));
        assert!(find_error::<HttpFailure>(&boxed).is_some() && find_error::<HttpFailure>(&shared).is_some());
        let head = Box::new(HttpFailure::new(503, "POST"));
        assert!(crate::AttemptResult::of_error(&head).find::<HttpFailure>().is_some());
        let head = Arc::new(HttpFailure::new(503, "POST"));
        assert!(crate::AttemptResult::of_error(&head).find::<HttpFailure>().is_some());
        let head = std::io::Error::other(HttpFailure::new(503, "POST"));
        assert!(crate::AttemptResult::of_error(&head).find::<HttpFailure>().is_some());
        assert!(crate::AttemptResult::of_error(&shared).find::<HttpFailure>().is_some());
    }

    #[test]
    fn what_an_attempt_returned_is_looked_through_as_any_chain_is() {
        fn finds<T: Error + 'static>(head: &(impl Error + 'static)) -> bool {
            let found = crate::AttemptResult::of_error(head).find::<T>().is_some();
            assert_eq!(found, find_error::<T>(head).is_some());
            found
        }
        fn at_any_place<T: Error + Send + Sync + 'static>(make: impl Fn() -> T) {
            assert!(finds::<T>(&make()));
            assert!(finds::<T>(&Box::new(make())) && finds::<T>(&Arc::new(make())));
            assert!(finds::<T>(&io::Error::other(make())));
            assert!(finds::<T>(&Outer(Box::new(make()))));
            assert!(finds::<T>(&Outer(Box::new(Arc::new(make())))));
        }
        at_any_place(|| HttpFailure::new(503, "POST"));
        at_any_place(|| GrpcFailure::new(GrpcCode::Aborted));
        at_any_place(|| Cancelled);
        at_any_place(|| fmt::Error);
        let outer = Outer(Box::new(HttpFailure::transport("GET").caused_by(Cancelled)));
        assert!(finds::<Outer>(&outer) && finds::<HttpFailure>(&outer) && finds::<Cancelled>(&outer));
        assert!(!finds::<GrpcFailure>(&outer) && !finds::<HttpFailure>(&fmt::Error));
    }

    #[test]
    fn code_names_and_reasons_agree() {
        for (number, code) in GrpcCode::ALL.iter().enumerate() {
            assert_eq!(*code as usize, number);
            assert_eq!(code.reason(), format!("grpc_{code}"));
        }
    }
}
