//! `defaults-and-limits.md`: every policy field with its default and what is allowed, why, and the presets.

use crate::reference::enumeration::source;
use crate::reference::markdown::{code, head, plain, section, table};
use crate::reference::schema::leaves;
use crate::repo::Repo;
use crate::rust_code::item::constants_of;
use anyhow::Result;
use recourse_core::Policy;
use recourse_core::policy::limits;

pub(super) fn page(repo: &Repo) -> Result<String> {
    let mut text = head(
        "Defaults and limits",
        "What a policy field is when nothing is written, and what it may be. A finite value outside of its limits is \
         brought inside and reported; NaN, infinite, negative and unreadable values are errors.",
    );
    text += &section("Fields", "The path is the one in a policy file and in `policy_normalized_fields`.");
    text += &table(
        ["field", "default", "allowed"],
        limits::TABLE
            .iter()
            .map(|(field, default, allowed)| [code(field), (*default).to_owned(), (*allowed).to_owned()]),
    );
    text += &section("Why these numbers", "The constants of `recourse::policy::limits`.");
    let constants = constants_of(&source(repo, "policy/limits.rs")?)?;
    text += &table(
        ["constant", "value", "reason"],
        constants
            .iter()
            .filter(|constant| constant.name != "TABLE")
            .map(|constant| [code(&constant.name), value(&constant.rest), plain(&constant.doc)]),
    );
    text += &section("Presets", "What differs from the default policy; an empty cell is the default.");
    text += &presets()?;
    text += &section(
        "Outside of the policy",
        "Kinds of breakers, triggers and budgets have options of their own, which stand with their defaults under \
         [circuits](../concepts/circuits.md#how-to-use-it), [hedging](../concepts/hedging.md#how-to-use-it) and \
         [budgets](../concepts/budgets.md#how-to-use-it). Two of these defaults act without being asked for: each kind of \
         breaker takes an attempt that was given up for a failure from the eleventh in a row without an answer on \
         (`abandoned_limit`), and triggers that know a key's latencies launch no hedge that can't be expected back before \
         the deadline (`ignore_deadline`).",
    );
    Ok(text)
}

/// `Duration = Duration::from_millis(250)` is `250ms`; `u32 = 3` is `3`.
fn value(constant: &str) -> String {
    let value = constant.split_once("= ").map_or(constant, |(_, value)| value);
    let inner = |prefix: &str| value.strip_prefix(prefix)?.strip_suffix(')');
    if let Some(millis) = inner("Duration::from_millis(") {
        format!("{millis}ms")
    } else if let Some(seconds) = inner("Duration::from_secs(") {
        format!("{seconds}s")
    } else {
        value.to_owned()
    }
}

fn presets() -> Result<String> {
    let default = leaves(&Policy::default())?;
    let mut columns = Vec::new();
    for policy in [Policy::http(), Policy::database(), Policy::background_job(), Policy::low_latency()] {
        columns.push(leaves(&policy)?);
    }
    let mut rows = Vec::new();
    for (at, (field, usual)) in default.iter().enumerate() {
        let cell = |column: usize| {
            let (_, value) = &columns[column][at];
            if value == usual { String::new() } else { value.clone() }
        };
        let cells = [cell(0), cell(1), cell(2), cell(3)];
        if cells.iter().any(|cell| !cell.is_empty()) {
            let [http, database, job, latency] = cells;
            rows.push([code(field), usual.clone(), http, database, job, latency]);
        }
    }
    Ok(table(["field", "default", "`http`", "`database`", "`background_job`", "`low_latency`"], rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constants_value_is_short() {
        assert_eq!(value("Duration = Duration::from_millis(250)"), "250ms");
        assert_eq!(value("u32 = 3"), "3");
    }
}
