//! Texts as keys: each is a key in one way, or an error that shows it and says what is allowed.

use crate::lines::assert_one_line;
use recourse_core::{Key, KeyError};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

/// Each line is read as a key, and each two neighbours are compared.
pub fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    read(text);
    let keys: Vec<Key> = text.split('\n').filter_map(read).collect();
    for pair in keys.windows(2) {
        compare(&pair[0], &pair[1]);
    }
}

/// Namespace and name as the documentation words them.
fn parts(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    if !text.contains(|sign: char| sign != '.' && !sign.is_whitespace()) {
        return None;
    }
    Some(match text.split_once('.') {
        Some((namespace, name)) if !name.trim().is_empty() => (namespace.trim(), name.trim()),
        _ => ("", text),
    })
}

fn read(text: &str) -> Option<Key> {
    let json = serde_json::to_string(text).expect("a text can be written as JSON");
    let from_file = serde_json::from_str::<Key>(&json);
    let key = match (Key::new(text), parts(text)) {
        (Ok(key), Some(parts)) => {
            assert_eq!((key.namespace(), key.name()), parts, "{text:?}");
            key
        }
        (Err(error), None) => {
            refused(text, &error);
            assert!(from_file.is_err(), "{text:?} is a key in a file alone");
            return None;
        }
        (read, wanted) => panic!("{text:?} was read as {read:?}, not as {wanted:?}"),
    };
    same(&key, &from_file.expect("what is a key in code is one in a file"));
    same(&key, &key.as_str().parse().expect("a canonical text is a key"));
    same(&key, &key.to_string().parse().expect("what a key prints is a key"));
    assert_eq!(key.to_string(), key.as_str());
    assert_eq!(key.fingerprint(), Key::fingerprint_of(key.as_str()));
    let (namespace, name) = (key.namespace(), key.name());
    if !namespace.is_empty() {
        same(&key, &Key::new(&format!("\u{3000}{namespace} .\t{name}\n")).expect("blanks change nothing"));
    }
    Some(key)
}

/// Two readings of one key can't be told apart.
#[track_caller]
fn same(key: &Key, other: &Key) {
    assert_eq!(key, other);
    assert_eq!((key.namespace(), key.name()), (other.namespace(), other.name()));
    assert_eq!(key.as_str(), other.as_str());
    compare(key, other);
}

/// Equality, order, hash and fingerprint agree.
#[track_caller]
fn compare(one: &Key, other: &Key) {
    let equal = (one.namespace(), one.name()) == (other.namespace(), other.name());
    assert_eq!(one == other, equal, "{one:?} {other:?}");
    assert_eq!(one.as_str() == other.as_str(), equal, "{one:?} {other:?}");
    assert_eq!(one.cmp(other).is_eq(), equal, "{one:?} {other:?}");
    assert_eq!(one.cmp(other), other.cmp(one).reverse());
    if equal {
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        assert_eq!(one.fingerprint(), other.fingerprint());
        assert_eq!(hasher.hash_one(one), hasher.hash_one(other));
    }
}

fn refused(text: &str, error: &KeyError) {
    assert_eq!(error.given, text);
    let message = error.to_string();
    for said in [&format!("{text:?}"), "namespace.name", "not allowed"] {
        assert!(message.contains(said), "{message}");
    }
    assert_one_line(&message);
}
