//! [`Key`]: the low-cardinality name of a call site.

use crate::label::Label;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// The low-cardinality name of a call site, `namespace.name`.
///
/// The text before the first dot is the namespace; without a dot the whole text is the name. Whitespace round either
/// part is trimmed. A trailing dot with nothing behind it leaves the whole text as the name (`a.`). Equality is that
/// of namespace and name, so ` payments . Charge ` is `payments.Charge`.
///
/// A clone costs nothing for a static key and a reference count for any other.
///
/// ```
/// use recourse_core::Key;
///
/// const CHARGE: Key = Key::from_static("payments.Charge");
/// assert_eq!((CHARGE.namespace(), CHARGE.name()), ("payments", "Charge"));
/// assert_eq!(Key::new(" payments . Charge ")?, CHARGE);
/// assert!(Key::new("...").is_err());
/// # Ok::<(), recourse_core::KeyError>(())
/// ```
#[derive(Clone)]
pub struct Key {
    /// Canonical: parsing it gives this key again.
    text: Label,
    /// Where the name starts in `text`; the namespace ends one byte earlier.
    name_at: u32,
    fingerprint: u64,
}

/// Why a text is no key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyError {
    /// The text as it was given.
    pub given: String,
}

impl Key {
    /// Parses a key.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the text is empty or consists of dots and whitespace alone.
    pub fn new(text: &str) -> Result<Self, KeyError> {
        let (namespace, name) = split(text).ok_or_else(|| KeyError { given: text.to_owned() })?;
        let canonical = if !namespace.is_empty() {
            format!("{namespace}.{name}")
        } else if split(name) == Some(("", name)) {
            name.to_owned()
        } else {
            format!(".{name}")
        };
        let name_at = canonical.len() - name.len();
        Ok(Key {
            fingerprint: Key::fingerprint_of(&canonical),
            text: Label::from(canonical),
            name_at: u32::try_from(name_at).unwrap_or(0),
        })
    }

    /// A key over a static text; usable in constants, where a bad text is a compile error.
    ///
    /// # Panics
    ///
    /// If the text is empty, is of dots alone, or has whitespace round one of its parts.
    ///
    /// ```compile_fail
    /// const BAD: recourse_core::Key = recourse_core::Key::from_static("payments. Charge");
    /// ```
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        let bytes = text.as_bytes();
        let mut at = 0;
        let mut dot = bytes.len();
        let mut solid = false;
        while at < bytes.len() {
            if bytes[at] == b'.' {
                if dot == bytes.len() {
                    dot = at;
                }
            } else {
                solid = true;
            }
            at += 1;
        }
        assert!(solid, "a key must not be empty or of dots alone");
        assert!(dot > 0, "a static key must not begin with a dot: leave the dot out");
        assert!(tight(bytes, 0, dot), "a static key must not have whitespace round its parts");
        let name_at = if dot + 1 < bytes.len() {
            assert!(
                tight(bytes, dot + 1, bytes.len()),
                "a static key must not have whitespace round its parts"
            );
            dot + 1
        } else {
            0
        };
        #[allow(clippy::cast_possible_truncation)]
        Key {
            text: Label::from_static(text),
            name_at: name_at as u32,
            fingerprint: Key::fingerprint_of(text),
        }
    }

    /// The part before the first dot; empty where there is none.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.text[..(self.name_at as usize).saturating_sub(1)]
    }

    /// The part behind the first dot.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.text[self.name_at as usize..]
    }

    /// `namespace.name`, trimmed.
    #[must_use]
    #[inline]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The text for the whole life of the program, where the key was made from such a one.
    #[must_use]
    pub fn as_static(&self) -> Option<&'static str> {
        self.text.as_static()
    }

    /// A 64-bit hash of the canonical text; computed at compile time for a key in a constant.
    #[must_use]
    #[inline]
    pub const fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// The [`fingerprint`](Key::fingerprint) of a canonical text. Not stable between versions.
    #[must_use]
    pub const fn fingerprint_of(text: &str) -> u64 {
        let mut hash = text.len() as u64 ^ MULTIPLIER;
        let mut rest = text.as_bytes();
        while let Some((word, behind)) = rest.split_first_chunk() {
            hash = mixed(hash, u64::from_le_bytes(*word));
            rest = behind;
        }
        if let Some(last) = text.as_bytes().last_chunk() {
            // Reads some bytes again, instead of the few that are left one by one.
            hash = mixed(hash, u64::from_le_bytes(*last));
        } else {
            let mut word = 0;
            while let Some((byte, behind)) = rest.split_first() {
                word = word << 8 | *byte as u64;
                rest = behind;
            }
            hash = mixed(hash, word);
        }
        hash
    }
}

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// One step of the hash: a multiplication folded back on itself, as in wyhash. So every bit moves the low ones, which
/// choose a key's place.
#[allow(clippy::cast_possible_truncation, reason = "both halves of the product are used")]
const fn mixed(hash: u64, word: u64) -> u64 {
    let product = (hash ^ word) as u128 * MULTIPLIER as u128;
    product as u64 ^ (product >> 64) as u64
}

/// Namespace and name of a text; `None` where there is nothing but dots and whitespace.
fn split(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    if text.chars().all(|c| c == '.' || c.is_whitespace()) {
        return None;
    }
    Some(match text.split_once('.') {
        Some((namespace, name)) if !name.trim().is_empty() => (namespace.trim(), name.trim()),
        _ => ("", text),
    })
}

/// Whether a part is not empty and has no whitespace round it, of any kind that `str::trim` knows.
const fn tight(bytes: &[u8], start: usize, end: usize) -> bool {
    if start >= end || blank_at(bytes, start, end) > 0 {
        return false;
    }
    let mut last = end - 1;
    // Back over the continuation bytes of the last character.
    while last > start && bytes[last] & 0xc0 == 0x80 {
        last -= 1;
    }
    blank_at(bytes, last, end) == 0
}

/// The length of the whitespace character that starts here; 0 where none does.
const fn blank_at(bytes: &[u8], at: usize, end: usize) -> usize {
    let left = end - at;
    match bytes[at] {
        b'\t'..=b'\r' | b' ' => 1,
        // U+0085, U+00A0.
        0xc2 if left >= 2 && (bytes[at + 1] == 0x85 || bytes[at + 1] == 0xa0) => 2,
        // U+1680.
        0xe1 if left >= 3 && bytes[at + 1] == 0x9a && bytes[at + 2] == 0x80 => 3,
        // U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F.
        0xe2 if left >= 3
            && bytes[at + 1] == 0x80
            && matches!(bytes[at + 2], 0x80..=0x8a | 0xa8 | 0xa9 | 0xaf) =>
        {
            3
        }
        0xe2 if left >= 3 && bytes[at + 1] == 0x81 && bytes[at + 2] == 0x9f => 3,
        // U+3000.
        0xe3 if left >= 3 && bytes[at + 1] == 0x80 && bytes[at + 2] == 0x80 => 3,
        _ => 0,
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint && self.text == other.text
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.text, f)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?})", self.as_str())
    }
}

impl FromStr for Key {
    type Err = KeyError;
    fn from_str(text: &str) -> Result<Self, KeyError> {
        Key::new(text)
    }
}

impl TryFrom<&str> for Key {
    type Error = KeyError;
    fn try_from(text: &str) -> Result<Self, KeyError> {
        Key::new(text)
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not a key: it needs a name, as in \"namespace.name\"; empty texts and dots alone are not allowed",
            self.given
        )
    }
}

impl std::error::Error for KeyError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (String, String) {
        let key = Key::new(text).unwrap();
        (key.namespace().to_owned(), key.name().to_owned())
    }

    #[test]
    fn the_first_dot_parts_namespace_and_name() {
        for (text, namespace, name) in [
            ("payments.Charge", "payments", "Charge"),
            ("a.b.c", "a", "b.c"),
            ("Charge", "", "Charge"),
            (" svc . op ", "svc", "op"),
            ("a.", "", "a."),
            (" a. ", "", "a."),
            (".a", "", "a"),
            (".a.", "", "a."),
            ("a..b", "a", ".b"),
        ] {
            assert_eq!(parts(text), (namespace.into(), name.into()), "{text:?}");
        }
    }

    #[test]
    fn nothing_but_dots_is_an_error_that_shows_the_text() {
        for text in ["", " ", ".", "...", " . . "] {
            let error = Key::new(text).unwrap_err();
            assert_eq!(error.given, text);
            assert!(error.to_string().starts_with(&format!("{text:?} is not a key")), "{error}");
        }
    }

    #[test]
    fn parsing_the_shown_text_gives_the_same_key() {
        for text in ["a.b", "a.", ".a", "..a", ".a.b", ".a.", "a..b", " a . b . c "] {
            let key = Key::new(text).unwrap();
            let again = Key::new(key.as_str()).unwrap();
            assert_eq!(again, key, "{text:?}");
            assert_eq!((again.namespace(), again.name()), (key.namespace(), key.name()), "{text:?}");
        }
    }

    #[test]
    fn a_static_key_equals_the_parsed_one() {
        const KEYS: [Key; 3] = [Key::from_static("a.b.c"), Key::from_static("a."), Key::from_static("solo")];
        for key in KEYS {
            let parsed = Key::new(key.as_str()).unwrap();
            assert_eq!(parsed, key);
            assert_eq!(parsed.fingerprint(), key.fingerprint());
            assert_eq!((parsed.namespace(), parsed.name()), (key.namespace(), key.name()));
        }
    }
}
