//! [`Attributes`]: low-cardinality names and values on an outcome or a timeline.

use crate::label::Label;
use std::fmt;
use std::sync::Arc;

/// Values by name, in the order in which they were first set; a name stands once.
///
/// Values must be low-cardinality: a status code or a name, never a request id. An empty set holds no
/// memory, and a clone shares its attributes until one of the two is changed.
///
/// ```
/// use recourse_core::Attributes;
///
/// let attributes = Attributes::new().with("status", "503").with("method", "GET");
/// assert_eq!(attributes.get("status"), Some("503"));
/// assert_eq!(attributes.to_string(), "status=503 method=GET");
/// ```
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    entries: Option<Arc<Vec<(Label, Label)>>>,
}

impl Attributes {
    /// No attributes.
    #[must_use]
    pub const fn new() -> Self {
        Attributes { entries: None }
    }

    /// No attributes, with room for so many and no more: for sets that are kept long.
    #[must_use]
    pub fn with_capacity(attributes: usize) -> Self {
        Attributes { entries: Some(Arc::new(Vec::with_capacity(attributes))) }
    }

    /// These attributes and one more; an earlier value of the same name is replaced.
    #[must_use]
    pub fn with(mut self, name: impl Into<Label>, value: impl Into<Label>) -> Self {
        self.set(name, value);
        self
    }

    /// Sets an attribute; an earlier value of the same name is replaced.
    pub fn set(&mut self, name: impl Into<Label>, value: impl Into<Label>) {
        let (name, value) = (name.into(), value.into());
        let entries = Arc::make_mut(self.entries.get_or_insert_default());
        match entries.iter_mut().find(|(known, _)| *known == name) {
            Some(entry) => entry.1 = value,
            None => entries.push((name, value)),
        }
    }

    /// The value of an attribute.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.entries().iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Every attribute, in the order in which they were first set.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + '_ {
        self.entries().iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Sets every attribute of `other` here too.
    pub fn extend(&mut self, other: &Attributes) {
        for (name, value) in other.entries() {
            self.set(name.clone(), value.clone());
        }
    }

    fn entries(&self) -> &[(Label, Label)] {
        self.entries.as_ref().map_or(&[], |entries| entries)
    }

    /// How many attributes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries().len()
    }

    /// Whether there is no attribute.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries().is_empty()
    }
}

impl Clone for Attributes {
    #[inline]
    fn clone(&self) -> Self {
        Attributes { entries: self.entries.clone() }
    }

    /// Counts nothing where the two share their attributes already.
    #[inline]
    fn clone_from(&mut self, source: &Self) {
        let shared = match (&self.entries, &source.entries) {
            (Some(ours), Some(theirs)) => Arc::ptr_eq(ours, theirs),
            (None, None) => true,
            _ => false,
        };
        if !shared {
            *self = source.clone();
        }
    }
}

impl fmt::Display for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, value)) in self.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{name}={value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_once_with_its_last_value() {
        let attributes = Attributes::new().with("a", "1").with("b", "2").with("a", "3");
        assert_eq!(attributes.iter().collect::<Vec<_>>(), [("a", "3"), ("b", "2")]);
        assert_eq!(attributes.get("c"), None);
    }

    #[test]
    fn a_set_made_like_another_is_like_it_whatever_it_was_before() {
        let source = Attributes::new().with("a", "1");
        for mut copy in [
            Attributes::new(),
            source.clone(),
            Attributes::new().with("a", "1"),
            source.clone().with("b", "2"),
        ] {
            copy.clone_from(&source);
            assert_eq!(copy, source);
            copy.set("a", "changed");
            assert_eq!(source.get("a"), Some("1"));
            copy.clone_from(&Attributes::new());
            assert!(copy.is_empty());
        }
    }

    #[test]
    fn a_set_that_is_shared_already_is_not_counted_once_more() {
        let source = Attributes::new().with("a", "1");
        let mut copy = source.clone();
        copy.clone_from(&source);
        let kept = |set: &Attributes| set.entries.as_ref().map(Arc::strong_count);
        assert_eq!(kept(&source), Some(2));
        copy = Attributes::new();
        assert_eq!((kept(&copy), kept(&source)), (None, Some(1)));
    }
}
