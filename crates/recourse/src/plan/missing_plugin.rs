//! [`MissingPlugin`]: a policy names something that nothing is registered under.

use recourse_core::{Key, Label};
use std::fmt;

/// A policy names a plugin that nothing is registered under.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MissingPlugin {
    /// The policy's key; `None` for the default policy.
    pub key: Option<Key>,
    /// The field's dotted path, `retry.budget.name`.
    pub field: &'static str,
    /// The name that it holds.
    pub name: Label,
    /// The names that something is registered under.
    pub registered: Vec<Label>,
}

impl fmt::Display for MissingPlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "policy {:?}: ", key.as_str())?,
            None => f.write_str("default policy: ")?,
        }
        write!(f, "{} = {:?} is not registered", self.field, self.name.as_str())?;
        match self.registered.as_slice() {
            [] => f.write_str("; nothing is"),
            names => {
                f.write_str("; registered:")?;
                names.iter().try_for_each(|name| match name.contains(char::is_whitespace) {
                    true => write!(f, " {:?}", name.as_str()),
                    false => write!(f, " {name}"),
                })
            }
        }
    }
}

impl std::error::Error for MissingPlugin {}
