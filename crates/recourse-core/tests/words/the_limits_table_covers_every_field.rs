//! The table of limits: one row for each field that a policy file may hold, with the default that it really has.

use recourse_core::Policy;
use recourse_core::policy::limits;
use serde_json::Value;
use std::collections::BTreeMap;

/// Every field of a policy by its dotted path.
fn fields(value: &Value, path: &str, found: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(parts) => {
            for (name, part) in parts {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                fields(part, &path, found);
            }
        }
        Value::String(text) => drop(found.insert(path.to_owned(), text.clone())),
        other => drop(found.insert(path.to_owned(), other.to_string())),
    }
}

#[test]
fn every_field_has_a_row_and_every_row_a_field_with_its_default() {
    let mut found = BTreeMap::new();
    fields(&serde_json::to_value(Policy::default()).unwrap(), "", &mut found);
    let wanted: BTreeMap<String, String> = limits::TABLE
        .iter()
        .map(|(field, default, _)| {
            let default = match *field {
                // What an empty name stands for.
                "id" => "",
                name if name.ends_with("name") => "",
                "retry.backoff_multiplier" => "2.0",
                _ => default,
            };
            ((*field).to_owned(), default.to_owned())
        })
        .collect();
    assert_eq!(found, wanted);
}

#[test]
fn every_row_says_what_is_allowed_and_an_unknown_field_nothing() {
    for (field, _, allowed) in limits::TABLE {
        assert!(!allowed.is_empty());
        assert_eq!(limits::allowed(field), *allowed);
    }
    assert_eq!(limits::allowed("retry.max_attemps"), "");
}
