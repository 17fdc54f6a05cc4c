//! [`KeyRef`]: every way in which a call site may write its key.

use recourse_core::{Key, KeyError};

/// A key as a call site writes it: a text, or a [`Key`]. A `static` or `const` key is the fastest, for its hash is
/// known at compile time.
///
/// ```
/// use recourse::{Key, KeyRef};
///
/// const CHARGE: Key = Key::from_static("payments.Charge");
/// let _: [KeyRef<'_>; 3] = ["payments.Charge".into(), (&CHARGE).into(), CHARGE.into()];
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum KeyRef<'k> {
    /// A text that has not been parsed.
    Text(&'k str),
    /// A borrowed key.
    Key(&'k Key),
    /// An owned key.
    Owned(Key),
}

impl KeyRef<'_> {
    /// The key itself; a text is parsed.
    pub(crate) fn into_key(self) -> Result<Key, KeyError> {
        match self {
            KeyRef::Text(text) => Key::new(text),
            KeyRef::Key(key) => Ok(key.clone()),
            KeyRef::Owned(key) => Ok(key),
        }
    }
}

impl<'k> From<&'k str> for KeyRef<'k> {
    fn from(text: &'k str) -> Self {
        KeyRef::Text(text)
    }
}

impl<'k> From<&'k String> for KeyRef<'k> {
    fn from(text: &'k String) -> Self {
        KeyRef::Text(text)
    }
}

impl<'k> From<&'k Key> for KeyRef<'k> {
    fn from(key: &'k Key) -> Self {
        KeyRef::Key(key)
    }
}

impl From<Key> for KeyRef<'_> {
    fn from(key: Key) -> Self {
        KeyRef::Owned(key)
    }
}
