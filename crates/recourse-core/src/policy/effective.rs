//! [`EffectivePolicy`]: a policy inside every limit, with where it came from and what was changed.

use crate::label::Label;
use crate::policy::Policy;
use std::fmt;

/// A normalised policy: what a call obeys.
///
/// The hedge and circuit parts are checked where they are on. A part that is off is kept as it was written.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct EffectivePolicy {
    /// The policy, with every field that is in use inside its limits.
    pub policy: Policy,
    /// Where it came from.
    pub source: PolicySource,
    /// What normalisation changed, in the order of the fields.
    pub changes: Vec<Change>,
}

impl EffectivePolicy {
    /// The dotted paths of the fields that normalisation changed.
    ///
    /// ```
    /// use recourse_core::{Policy, PolicySource};
    ///
    /// let effective = Policy::new().max_attempts(99).normalize(PolicySource::Static)?;
    /// assert_eq!(effective.changed_fields().collect::<Vec<_>>(), ["retry.max_attempts"]);
    /// assert_eq!(effective.policy.retry.max_attempts, 10);
    /// # Ok::<(), recourse_core::PolicyError>(())
    /// ```
    pub fn changed_fields(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.changes.iter().map(|change| change.field)
    }

    /// The same with a circuit's threshold brought down to `most`, the largest that its breaker
    /// [can reach](crate::BreakerFactory::max_threshold), and with that among the changes.
    ///
    /// ```
    /// use recourse_core::{Policy, PolicySource};
    /// use std::time::Duration;
    ///
    /// let effective = Policy::new().circuit(5, Duration::from_secs(10)).normalize(PolicySource::Static)?;
    /// let effective = effective.with_max_threshold(4);
    /// assert_eq!(effective.policy.circuit.threshold, 4);
    /// assert_eq!(effective.changes[0].to_string(), "circuit.threshold = 5 became 4");
    /// # Ok::<(), recourse_core::PolicyError>(())
    /// ```
    #[must_use]
    pub fn with_max_threshold(mut self, most: u32) -> Self {
        let (field, circuit, most) = ("circuit.threshold", &mut self.policy.circuit, most.max(1));
        if !circuit.enabled || circuit.threshold <= most {
            return self;
        }
        match self.changes.iter_mut().find(|change| change.field == field) {
            Some(change) => change.used = most.to_string().into(),
            None => {
                let before = self.changes.iter().take_while(|change| change.field != "circuit.cooldown");
                self.changes.insert(before.count(), Change::new(field, circuit.threshold, most));
            }
        }
        circuit.threshold = most;
        self
    }
}

/// One field that normalisation changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The field's dotted path.
    pub field: &'static str,
    /// The value as it was given.
    pub given: Label,
    /// The value that is used instead.
    pub used: Label,
}

impl Change {
    pub(crate) fn new(field: &'static str, given: impl fmt::Display, used: impl fmt::Display) -> Self {
        Change { field, given: given.to_string().into(), used: used.to_string().into() }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {} became {}", self.field, self.given, self.used)
    }
}

/// Where an effective policy came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum PolicySource {
    /// Given in code or in a file.
    Static,
    /// Fetched from a remote source.
    Remote,
    /// The last known good answer of a source that is down.
    LastKnownGood,
    /// The default policy.
    Default,
    /// Nobody knows.
    #[default]
    Unknown,
}

impl PolicySource {
    /// The name in timelines: `static`, `remote`, `lkg`, `default` or `unknown`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            PolicySource::Static => "static",
            PolicySource::Remote => "remote",
            PolicySource::LastKnownGood => "lkg",
            PolicySource::Default => "default",
            PolicySource::Unknown => "unknown",
        }
    }
}

impl fmt::Display for PolicySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
