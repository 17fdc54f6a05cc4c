//! What a run has found, as data, and the committed file of it.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The page that everybody reads.
pub(super) const PAGE: &str = "docs/reference/benchmarks.md";
/// The figures behind it, which `--check` compares with.
pub(super) const BASELINE: &str = "benches/baseline.json";

/// Everything that one run has found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Report {
    pub(super) machine: Machine,
    pub(super) weight: Weight,
    /// Live bytes a key, by what is kept for it.
    pub(super) memory: BTreeMap<String, i64>,
    pub(super) futures: Vec<FutureSize>,
    pub(super) calls: Vec<Call>,
    pub(super) threads: Vec<Pace>,
    /// The rows whose goals are missed, in the order of the rows; older figures have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) spent: Vec<Spent>,
    /// The rows of other profiles than the default one.
    pub(super) profiles: BTreeMap<String, Vec<Call>>,
}

/// Where and when it ran.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Machine {
    pub(super) date: String,
    pub(super) revision: String,
    pub(super) processor: String,
    pub(super) cores: usize,
    pub(super) system: String,
    /// As `rustc --version` says it.
    pub(super) compiler: String,
    /// The compiler's host, such as `x86_64-unknown-linux-gnu`.
    pub(super) host: String,
    /// What the run took, once everything was built.
    pub(super) seconds: f64,
    /// What the benches stand on, with versions.
    pub(super) versions: BTreeMap<String, String>,
}

/// A cell of the table: one contestant in one row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Call {
    pub(super) case: String,
    pub(super) column: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) nanos: Option<Nanos>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) instructions: Option<f64>,
    /// Stores on memory that other threads could reach; counted in some rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stores: Option<f64>,
    pub(super) allocations: f64,
    pub(super) bytes: f64,
    /// Bytes of the call's future beyond the bare one's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) beyond: Option<u64>,
}

#[cfg(test)]
impl Call {
    /// A call that took as long in each round.
    pub(super) fn of(case: &str, column: &str, nanos: f64, instructions: f64) -> Self {
        Call {
            case: case.to_owned(),
            column: column.to_owned(),
            nanos: Some(Nanos { median: nanos, lowest: nanos, highest: nanos }),
            instructions: Some(instructions),
            ..Call::default()
        }
    }
}

/// Nanoseconds of the rounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Nanos {
    pub(super) median: f64,
    pub(super) lowest: f64,
    pub(super) highest: f64,
}

impl Nanos {
    /// Of one figure a round; `None` for no rounds.
    pub(super) fn of_rounds(mut rounds: Vec<f64>) -> Option<Self> {
        rounds.sort_unstable_by(f64::total_cmp);
        let (lowest, highest) = (*rounds.first()?, *rounds.last()?);
        Some(Nanos { median: rounds[rounds.len() / 2], lowest, highest })
    }
}

/// Several threads that share a policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Pace {
    pub(super) case: String,
    pub(super) column: String,
    pub(super) threads: u32,
    /// Nanoseconds that a call takes in its thread.
    pub(super) nanos: f64,
    /// Those, as a multiple of what one thread takes.
    pub(super) slower: f64,
    /// Calls of all threads together, as a multiple of what one thread makes.
    pub(super) throughput: f64,
}

/// A function's own instructions in a row's call by prepared handle, without those of what it calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Spent {
    pub(super) case: String,
    pub(super) whose: Whose,
    /// `None` for all that is too small to be named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) function: Option<String>,
    pub(super) instructions: f64,
}

/// Who has written a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Whose {
    Recourse,
    /// The operation, and the loop that makes the calls.
    Bench,
    Clock,
    Allocator,
    Tokio,
    /// The standard library, libc, and whatever else.
    Rest,
}

impl Whose {
    /// In the order of the table.
    pub(super) const ALL: [Whose; 6] =
        [Whose::Recourse, Whose::Bench, Whose::Clock, Whose::Allocator, Whose::Tokio, Whose::Rest];

    /// On the page.
    pub(super) fn text(self) -> &'static str {
        match self {
            Whose::Recourse => "recourse",
            Whose::Bench => "the bench",
            Whose::Clock => "the clock",
            Whose::Allocator => "the allocator",
            Whose::Tokio => "tokio",
            Whose::Rest => "others",
        }
    }
}

/// Bytes of a call's future beyond the operation's own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct FutureSize {
    pub(super) operation: String,
    pub(super) run: u64,
    pub(super) captured: u64,
}

/// What compiling recourse takes, and what it adds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Weight {
    /// `cargo build -p recourse --release` with nothing built.
    pub(super) build_seconds: f64,
    /// A stripped program that does nothing.
    pub(super) empty_bytes: u64,
    /// One that makes one call.
    pub(super) one_call_bytes: u64,
    /// Third-party packages, by who brings them.
    pub(super) packages: BTreeMap<String, usize>,
}

/// What is hand-written in the benches' sources: titles and notes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Catalogue {
    pub(super) rows: Vec<Row>,
    pub(super) columns: Vec<Column>,
}

/// A row of the table.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) title: String,
}

/// A contestant.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) does: String,
    pub(super) does_not: String,
}

/// The cell of this row and column.
pub(super) fn find<'a>(calls: &'a [Call], case: &str, column: &str) -> Option<&'a Call> {
    calls.iter().find(|call| call.case == case && call.column == column)
}

impl Report {
    /// The committed text: a line for each cell, so that a change shows as the lines that changed.
    pub(super) fn to_text(&self) -> Result<String> {
        let value = serde_json::to_value(self)?;
        let mut text = String::new();
        write(&mut text, &value, 0);
        Ok(text + "\n")
    }

    /// What [`to_text`](Self::to_text) has written.
    pub(super) fn of_text(text: &str) -> Result<Self> {
        serde_json::from_str(text).context("it is not what this program writes")
    }
}

/// What has no lists or objects inside stands in one line.
fn write(text: &mut String, value: &Value, depth: usize) {
    let is_deep = |value: &Value| match value {
        Value::Array(_) => true,
        Value::Object(fields) => fields.values().any(|value| value.is_array()) || depth == 0,
        _ => false,
    };
    if !is_deep(value) {
        *text += &value.to_string();
        return;
    }
    let indent = "  ".repeat(depth + 1);
    let (open, close) = if value.is_array() { ('[', ']') } else { ('{', '}') };
    text.push(open);
    let mut separator = "\n";
    let mut item = |text: &mut String, name: Option<&String>, value: &Value| {
        *text += separator;
        *text += &indent;
        if let Some(name) = name {
            *text += &format!("{name:?}: ");
        }
        write(text, value, depth + 1);
        separator = ",\n";
    };
    match value {
        Value::Array(items) => items.iter().for_each(|value| item(text, None, value)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| item(text, Some(name), value)),
        _ => {}
    }
    *text += &format!("\n{}{close}", "  ".repeat(depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_as_it_was_written_a_line_a_cell() {
        let call = |case: &str| Call {
            case: case.to_owned(),
            column: "recourse".to_owned(),
            nanos: Some(Nanos { median: 2.5, lowest: 2.0, highest: 3.0 }),
            instructions: Some(70.5),
            ..Call::default()
        };
        let mut report = Report { calls: vec![call("plain"), call("all")], ..Report::default() };
        report.profiles.insert("fat-lto".to_owned(), vec![call("plain")]);
        let spent = |function: Option<&str>| Spent {
            case: "all".to_owned(),
            whose: Whose::Bench,
            function: function.map(str::to_owned),
            instructions: 7.5,
        };
        report.spent = vec![spent(Some("Engine::judge")), spent(None)];
        let text = report.to_text().unwrap();
        assert_eq!(Report::of_text(&text).unwrap(), report);
        assert_eq!(text.lines().filter(|line| line.contains("\"recourse\"")).count(), 3, "{text}");
        assert_eq!(text.lines().filter(|line| line.contains("\"bench\"")).count(), 2, "{text}");
        assert!(Report::of_text("{").is_err());
    }

    #[test]
    fn figures_from_before_there_were_profiles_and_stores_are_read() {
        let report = Report { calls: vec![Call::of("plain", "bare", 1.0, 10.0)], ..Report::default() };
        let text = report.to_text().unwrap();
        assert!(!text.contains("spent") && !text.contains("stores"), "{text}");
        assert_eq!(Report::of_text(&text).unwrap(), report);
    }

    #[test]
    fn rounds_have_a_median_and_a_spread() {
        let nanos = Nanos::of_rounds(vec![3.0, 9.0, 1.0, 2.0, 4.0]);
        assert_eq!(nanos, Some(Nanos { median: 3.0, lowest: 1.0, highest: 9.0 }));
        assert_eq!(Nanos::of_rounds(Vec::new()), None);
    }
}
