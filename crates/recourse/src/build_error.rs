//! [`BuildError`]: everything that is wrong with an executor's configuration, all at once.

use crate::plan::MissingPlugin;
use recourse_core::policy::Change;
use recourse_core::{Key, KeyError, PolicyError, RegistryError};
use std::fmt;

/// Everything that is wrong with an executor's configuration. Nothing was built.
///
/// ```
/// use recourse::{Executor, Policy};
///
/// let error = Executor::builder()
///     .policy("payments.Charge", Policy::http().retry_budget("retires"))
///     .policy("...", Policy::new())
///     .build()
///     .unwrap_err();
/// assert_eq!(error.problems().len(), 2);
/// assert!(error.to_string().contains("retry.budget.name = \"retires\" is not registered"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct BuildError {
    pub(crate) problems: Vec<Problem>,
}

impl BuildError {
    /// What is wrong, in the order in which it was found; never empty.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

/// One thing that is wrong with an executor's configuration.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Problem {
    /// A text is no key.
    Key(KeyError),
    /// A key has two policies; `None` for the default policy.
    DuplicatePolicy(Option<Key>),
    /// A policy holds a value that no normalisation can mend.
    Policy {
        /// The policy's key; `None` for the default policy.
        key: Option<Key>,
        /// The field, its value and what is allowed.
        error: PolicyError,
    },
    /// The builder is strict, and normalisation had to change a policy.
    Normalized {
        /// The policy's key; `None` for the default policy.
        key: Option<Key>,
        /// The field, the value that was given, and the one that would be used.
        change: Change,
    },
    /// A policy names a plugin that nothing is registered under.
    Missing(MissingPlugin),
    /// A plugin could not be registered.
    Registry {
        /// What it is: `classifier`, `budget`, `hedge trigger` or `circuit breaker`.
        kind: &'static str,
        /// Why.
        error: RegistryError,
    },
    /// Both a provider and static policies were given.
    ProviderAndPolicies,
    /// The cap of keys is out of range.
    MaxKeys {
        /// The value that was given.
        given: usize,
        /// The largest value that is allowed.
        most: usize,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Key(error) => write!(f, "policy {:?}: {error}", error.given),
            Problem::DuplicatePolicy(key) => write!(f, "{}: given twice; one is allowed", name_of(key)),
            Problem::Policy { key, error } => write!(f, "{}: {error}", name_of(key)),
            Problem::Normalized { key, change } => write!(
                f,
                "{}: {} = {} is not allowed by a strict builder ({}): write {}",
                name_of(key),
                change.field,
                change.given,
                recourse_core::policy::limits::allowed(change.field),
                change.used
            ),
            Problem::Missing(missing) => write!(f, "{missing}"),
            Problem::Registry { kind, error } => write!(f, "{kind}: {error}"),
            Problem::ProviderAndPolicies => f.write_str(
                "both a provider and static policies were given: give the policies to the provider",
            ),
            Problem::MaxKeys { given, most } => write!(f, "max_keys = {given} is not allowed: 0 to {most}"),
        }
    }
}

/// A policy, by its key; without one it is the default policy.
pub(crate) fn name_of(key: &Option<Key>) -> String {
    key.as_ref().map_or_else(|| "default policy".to_owned(), |key| format!("policy {:?}", key.as_str()))
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [problem] = self.problems.as_slice() {
            return write!(f, "{problem}");
        }
        write!(f, "{} problems:", self.problems.len())?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for BuildError {}
