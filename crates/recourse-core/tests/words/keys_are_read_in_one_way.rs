//! A key has one namespace, one name and one canonical text, however it was written.

use recourse_core::{Key, KeyError};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::panic::catch_unwind;

/// Every text of up to six of these signs.
fn texts() -> Vec<String> {
    let signs = ["a", "B", ".", " ", "\u{a0}"];
    let mut texts = vec![String::new()];
    let mut last = 0;
    for _ in 0..6 {
        let end = texts.len();
        for at in last..end {
            texts.extend(signs.map(|sign| format!("{}{sign}", texts[at])));
        }
        last = end;
    }
    texts
}

/// Namespace and name as the contract words them.
fn by_the_contract(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    if !text.contains(|sign: char| sign != '.' && !sign.is_whitespace()) {
        return None;
    }
    let whole = ("", text);
    Some(text.split_once('.').map_or(whole, |(namespace, name)| match name.trim() {
        "" => whole,
        name => (namespace.trim(), name),
    }))
}

#[test]
fn every_text_is_a_key_by_the_contract_or_an_error_that_shows_it() {
    for text in texts() {
        match (Key::new(&text), by_the_contract(&text)) {
            (Ok(key), Some(parts)) => assert_eq!((key.namespace(), key.name()), parts, "{text:?}"),
            (Err(error), None) => {
                assert_eq!(error.given, text);
                assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
            }
            (read, wanted) => panic!("{text:?} was read as {read:?}, not as {wanted:?}"),
        }
    }
}

#[test]
fn a_canonical_text_is_read_as_the_same_key() {
    for key in texts().iter().filter_map(|text| Key::new(text).ok()) {
        let again = Key::new(key.as_str()).unwrap();
        assert_eq!((again.namespace(), again.name()), (key.namespace(), key.name()), "{key}");
        assert_eq!((&again, again.fingerprint()), (&key, key.fingerprint()));
        assert_eq!(Key::fingerprint_of(key.as_str()), key.fingerprint());
        assert_eq!(key.to_string(), key.as_str());
    }
}

#[test]
fn keys_are_equal_where_namespace_and_name_are_and_nowhere_else() {
    let mut canonical: HashMap<(String, String), Key> = HashMap::new();
    for key in texts().iter().filter_map(|text| Key::new(text).ok()) {
        let parts = (key.namespace().to_owned(), key.name().to_owned());
        let first = canonical.entry(parts).or_insert_with(|| key.clone());
        assert_eq!(first.as_str(), key.as_str());
    }
    let hashed: HashSet<&Key> = canonical.values().collect();
    let ordered: BTreeSet<&Key> = canonical.values().collect();
    assert_eq!((hashed.len(), ordered.len()), (canonical.len(), canonical.len()));
}

#[test]
fn the_usual_spellings_are_read_as_people_expect() {
    for (text, namespace, name, shown) in [
        ("payments.Charge", "payments", "Charge", "payments.Charge"),
        (" payments . Charge ", "payments", "Charge", "payments.Charge"),
        ("\tpayments\n.\u{3000}Charge", "payments", "Charge", "payments.Charge"),
        ("Charge", "", "Charge", "Charge"),
        ("payments.Charge.v2", "payments", "Charge.v2", "payments.Charge.v2"),
        ("a.", "", "a.", "a."),
        ("a. ", "", "a.", "a."),
        (".Charge", "", "Charge", "Charge"),
        ("zahlung.Überweisung", "zahlung", "Überweisung", "zahlung.Überweisung"),
    ] {
        let key: Key = text.parse().unwrap();
        assert_eq!((key.namespace(), key.name(), key.as_str()), (namespace, name, shown), "{text:?}");
        assert_eq!(Key::try_from(text).unwrap(), key);
    }
    assert_ne!(Key::new("payments.Charge").unwrap(), Key::new("payments.charge").unwrap());
}

#[test]
fn an_error_is_an_error_like_any_other() {
    let error: Box<dyn std::error::Error> = Box::new("..".parse::<Key>().unwrap_err());
    assert_eq!(error.downcast_ref::<KeyError>().unwrap().given, "..");
    assert!(error.to_string().contains("namespace.name"), "{error}");
}

#[test]
fn a_static_key_is_the_parsed_one_or_no_key_at_all() {
    const FIXED: [Key; 4] = [
        Key::from_static("payments.Charge"),
        Key::from_static("a."),
        Key::from_static("Charge"),
        Key::from_static("a..b"),
    ];
    for key in FIXED {
        let parsed = Key::new(key.as_str()).unwrap();
        assert_eq!((parsed.namespace(), parsed.name()), (key.namespace(), key.name()));
        assert_eq!((parsed.fingerprint(), key.as_static()), (key.fingerprint(), Some(key.as_str())));
    }
    for text in texts() {
        let text: &'static str = text.leak();
        if let Ok(key) = catch_unwind(|| Key::from_static(text)) {
            assert_eq!(Key::new(text).as_ref(), Ok(&key), "{text:?}");
        }
    }
}
