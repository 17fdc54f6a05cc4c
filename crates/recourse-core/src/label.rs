//! [`Label`]: a short, low-cardinality text that costs nothing to clone.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A name, a reason code or an attribute value: short, low-cardinality, cheap to clone.
///
/// A static text is kept as it is; any other is shared behind an [`Arc`], so that a clone never copies it.
/// Equality, order and hash are those of the text.
///
/// ```
/// use recourse_core::Label;
///
/// let fixed = Label::from("budget_denied");
/// let built = Label::from(format!("http_{}", 503));
/// assert_eq!(built, "http_503");
/// assert_eq!(fixed.as_str(), "budget_denied");
/// ```
#[derive(Clone)]
pub struct Label(Text);

#[derive(Clone)]
enum Text {
    Static(&'static str),
    Shared(Arc<str>),
}

impl Label {
    /// The empty label.
    pub const EMPTY: Label = Label::from_static("");

    /// A label over a static text; usable in constants.
    #[must_use]
    #[inline]
    pub const fn from_static(text: &'static str) -> Self {
        Label(Text::Static(text))
    }

    /// A label over any text; the text is copied once.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Label(Text::Shared(Arc::from(text)))
    }

    /// The text.
    #[must_use]
    #[inline]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Static(text) => text,
            Text::Shared(text) => text,
        }
    }

    /// Whether the text is empty.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.as_str().is_empty()
    }

    /// The text for the whole life of the program, where it was given so.
    #[must_use]
    #[inline]
    pub fn as_static(&self) -> Option<&'static str> {
        match &self.0 {
            Text::Static(text) => Some(text),
            Text::Shared(_) => None,
        }
    }
}

impl Default for Label {
    #[inline]
    fn default() -> Self {
        Label::EMPTY
    }
}

impl std::ops::Deref for Label {
    type Target = str;
    #[inline]
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Label {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Label {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq for Label {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Label {}

impl PartialEq<str> for Label {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Label {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialOrd for Label {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Label {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for Label {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

impl From<&'static str> for Label {
    fn from(text: &'static str) -> Self {
        Label::from_static(text)
    }
}

impl From<String> for Label {
    fn from(text: String) -> Self {
        Label(Text::Shared(Arc::from(text)))
    }
}

impl From<Arc<str>> for Label {
    fn from(text: Arc<str>) -> Self {
        Label(Text::Shared(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn a_static_and_a_shared_label_of_one_text_are_one_key() {
        let mut map = HashMap::new();
        map.insert(Label::from_static("tb"), 1);
        assert_eq!(map.get("tb"), Some(&1));
        assert_eq!(map.get(&Label::new("tb")), Some(&1));
        assert!(Label::new("a") < Label::from_static("b"));
    }

    #[test]
    fn only_a_static_text_is_handed_out_for_ever() {
        assert_eq!(Label::from_static("x").as_static(), Some("x"));
        assert_eq!(Label::new("x").as_static(), None);
    }
}
