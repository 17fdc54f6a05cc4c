//! `policy-schema.md`: a policy as data, with every field in JSON and in TOML.

use crate::reference::enumeration::{entries, rows};
use crate::reference::markdown::{block, code, head, plain, section, table};
use crate::repo::Repo;
use anyhow::{Context, Result, ensure};
use recourse_core::policy::{PolicySet, limits};
use recourse_core::{Jitter, Key, Policy};
use serde_json::Value;
use std::collections::HashMap;

/// The parts of a policy: where their fields stand in core, and where in a file.
const PARTS: &[(&str, &str, &str)] = &[
    ("policy/envelope.rs", "Policy", ""),
    ("policy/retry.rs", "RetryPolicy", "retry."),
    ("policy/budget_ref.rs", "BudgetRef", "retry.budget."),
    ("policy/hedge.rs", "HedgePolicy", "hedge."),
    ("policy/budget_ref.rs", "BudgetRef", "hedge.budget."),
    ("policy/circuit.rs", "CircuitPolicy", "circuit."),
];

pub(super) fn page(repo: &Repo) -> Result<String> {
    let default = Policy::default();
    let mut text = head(
        "Policy schema",
        "A policy as data, with the feature `serde`. Durations are texts with a unit, such as `\"250ms\"`, `\"2s\"` or \
         `\"5min\"`, or a bare `0`; a timeout may be `\"off\"` or, in JSON, `null`, which is the same. Zero means the default, \
         and off for a timeout. A field that is left out has its default; an unknown field is an error.",
    );
    text += &section("Fields", "Limits and presets are in [defaults and limits](defaults-and-limits.md).");
    text += &fields(repo, &default)?;
    text += &section("Jitter", "`b` is the computed wait, after the cap.");
    let variants = entries(repo, "policy/retry.rs", "Jitter")?;
    text += &table(["value", "meaning"], rows(&variants, &Jitter::ALL, Jitter::as_str)?);

    let json = serde_json::to_string_pretty(&default)?;
    let back: Policy = serde_json::from_str(&json)?;
    ensure!(back == default, "JSON doesn't bring the default policy back");
    text += &section("As JSON", "The default policy with every field.");
    text += &block("json", &json);

    let mut set = PolicySet::default();
    set.default = Some(default);
    set.policies.insert(Key::new("payments.Charge")?, Policy::http());
    let toml = toml::to_string(&set)?;
    let back: PolicySet = toml::from_str(&toml)?;
    ensure!(back == set, "TOML doesn't bring the policies back");
    text += &section(
        "A file of policies, as TOML",
        "`default` is for every key that has no policy of its own. A key that stands twice is an error.",
    );
    text += &block("toml", &toml);
    Ok(text)
}

/// Each leaf of the policy, with its default as the file writes it and its doc comment.
fn fields(repo: &Repo, default: &Policy) -> Result<String> {
    let mut docs = HashMap::new();
    for (file, type_name, prefix) in PARTS {
        for field in entries(repo, file, type_name)? {
            docs.insert(format!("{prefix}{}", field.name), plain(&field.doc));
        }
    }
    let leaves = leaves(default)?;
    let mut known: Vec<&str> = leaves.iter().map(|(path, _)| path.as_str()).collect();
    let mut limited: Vec<&str> = limits::TABLE.iter().map(|(path, _, _)| *path).collect();
    known.sort_unstable();
    limited.sort_unstable();
    ensure!(known == limited, "limits::TABLE and the policy differ: {limited:?}, {known:?}");
    let mut rows = Vec::new();
    for (path, value) in leaves {
        let doc = docs.get(&path).with_context(|| format!("{path} has no doc comment"))?;
        rows.push([code(&path), value, doc.clone()]);
    }
    Ok(table(["field", "default", "meaning"], rows))
}

/// The fields of a policy by their dotted path, with their values as a file writes them, in the order of the limits.
pub(super) fn leaves(policy: &Policy) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    collect("", &serde_json::to_value(policy)?, &mut found);
    found.sort_by_key(|(path, _)| limits::TABLE.iter().position(|(limited, _, _)| limited == path));
    Ok(found)
}

fn collect(prefix: &str, value: &Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let dot = if prefix.is_empty() { "" } else { "." };
                collect(&format!("{prefix}{dot}{name}"), value, found);
            }
        }
        value => found.push((prefix.to_owned(), code(&value.to_string()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_leaf_has_its_dotted_path() {
        let leaves = leaves(&Policy::default()).unwrap();
        let value =
            |path: &str| leaves.iter().find(|(name, _)| name == path).map(|(_, value)| value.as_str());
        assert_eq!(value("retry.budget.cost"), Some("`1`"));
        assert_eq!(value("retry.overall_timeout"), Some("`\"off\"`"));
        assert_eq!(value("id"), Some("`\"\"`"));
    }
}
