//! [`PolicyProvider`]: finds the policy of a key.

use crate::generation::Generation;
use crate::key::Key;
use crate::policy::{Policy, PolicySource};
use crate::reason;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// Finds the policy of a key, at once or later.
///
/// The executor asks [`policy_now`](Self::policy_now) first and awaits [`policy`](Self::policy) only where that has no
/// answer. It normalises what it is given, so a provider hands out policies as they were written. Both methods have
/// the form to which `#[async_trait]` expands.
///
/// Both are called on the caller's task and must not block.
///
/// ```
/// use recourse_core::{
///     Key, Policy, PolicyProvider, PolicySource, ProvidedPolicy, ProviderError, ProviderErrorKind,
/// };
/// use std::{future::Future, pin::Pin};
///
/// /// One policy for reads, none for the rest.
/// struct Reads;
///
/// impl PolicyProvider for Reads {
///     fn policy_now(&self, key: &Key) -> Option<Result<ProvidedPolicy, ProviderError>> {
///         Some(match key.name().starts_with("Get") {
///             true => Ok(ProvidedPolicy::new(Policy::http(), PolicySource::Static)),
///             false => Err(ProviderError::new(ProviderErrorKind::PolicyNotFound, "only reads have a policy")),
///         })
///     }
///
///     // As `#[async_trait]` would write it; never asked, because the other always answers.
///     fn policy<'s, 'k, 'f>(
///         &'s self,
///         key: &'k Key,
///     ) -> Pin<Box<dyn Future<Output = Result<ProvidedPolicy, ProviderError>> + Send + 'f>>
///     where
///         's: 'f,
///         'k: 'f,
///         Self: 'f,
///     {
///         Box::pin(async move { self.policy_now(key).expect("it always answers") })
///     }
/// }
///
/// assert!(Reads.policy_now(&Key::from_static("users.Get")).is_some_and(|answer| answer.is_ok()));
/// ```
///
/// # Caching
///
/// A provider that counts its changes in a [`Generation`](crate::Generation) and returns it from
/// [`generation`](Self::generation) is asked once a key and change; any other is asked at every call.
///
/// # Cancellation
///
/// Dropping the call drops the future.
pub trait PolicyProvider: Send + Sync {
    /// The policy, if it is at hand; allocates nothing. `None` (the default) when it must be awaited.
    fn policy_now(&self, key: &Key) -> Option<Result<ProvidedPolicy, ProviderError>> {
        let _ = key;
        None
    }

    /// The policy, as soon as it is there.
    fn policy<'s, 'k, 'f>(
        &'s self,
        key: &'k Key,
    ) -> Pin<Box<dyn Future<Output = Result<ProvidedPolicy, ProviderError>> + Send + 'f>>
    where
        's: 'f,
        'k: 'f,
        Self: 'f;

    /// Advances whenever the answers have changed; `None` (the default) for "ask me at every call".
    fn generation(&self) -> Option<&Generation> {
        None
    }
}

impl<P: PolicyProvider + ?Sized> PolicyProvider for Arc<P> {
    fn policy_now(&self, key: &Key) -> Option<Result<ProvidedPolicy, ProviderError>> {
        (**self).policy_now(key)
    }
    fn policy<'s, 'k, 'f>(
        &'s self,
        key: &'k Key,
    ) -> Pin<Box<dyn Future<Output = Result<ProvidedPolicy, ProviderError>> + Send + 'f>>
    where
        's: 'f,
        'k: 'f,
        Self: 'f,
    {
        (**self).policy(key)
    }
    fn generation(&self) -> Option<&Generation> {
        (**self).generation()
    }
}

/// A provider's answer: a policy as it was written, and where it came from.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ProvidedPolicy {
    /// The policy; the same `Arc` again tells the executor that nothing changed.
    pub policy: Arc<Policy>,
    /// Where it came from.
    pub source: PolicySource,
}

impl ProvidedPolicy {
    /// This policy from this source.
    #[must_use]
    pub fn new(policy: impl Into<Arc<Policy>>, source: PolicySource) -> Self {
        ProvidedPolicy { policy: policy.into(), source }
    }
}

/// Why a provider has no answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProviderError {
    /// What kind of failure.
    pub kind: ProviderErrorKind,
    /// More for the reader of the error; may be empty.
    pub message: String,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// The kinds of failure of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProviderErrorKind {
    /// There is no policy for the key.
    PolicyNotFound,
    /// The provider can't be reached.
    ProviderUnavailable,
    /// The provider answered with something unusable.
    PolicyFetchFailed,
}

impl ProviderErrorKind {
    /// The reason code: `policy_not_found`, `provider_unavailable` or `policy_fetch_failed`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            ProviderErrorKind::PolicyNotFound => reason::POLICY_NOT_FOUND,
            ProviderErrorKind::ProviderUnavailable => reason::PROVIDER_UNAVAILABLE,
            ProviderErrorKind::PolicyFetchFailed => reason::POLICY_FETCH_FAILED,
        }
    }
}

impl ProviderError {
    /// A failure of this kind.
    ///
    /// ```
    /// use recourse_core::{ProviderError, ProviderErrorKind};
    ///
    /// let error = ProviderError::new(ProviderErrorKind::ProviderUnavailable, "connection refused");
    /// assert_eq!(error.to_string(), "provider_unavailable: connection refused");
    /// ```
    #[must_use]
    pub fn new(kind: ProviderErrorKind, message: impl Into<String>) -> Self {
        ProviderError { kind, message: message.into(), source: None }
    }

    /// The same with the error below it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.as_str())?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        Ok(())
    }
}

impl Error for ProviderError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
