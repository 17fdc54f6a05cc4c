//! `telemetry-names.md`: every name that telemetry is written in.

use crate::reference::markdown::{code, head, section, table};
use crate::repo::Repo;
use anyhow::{Result, ensure};
use recourse_observe::names;

/// The groups of the page: heading, the line below it, the names.
type Group = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const GROUPS: &[Group] = &[
    ("Attributes of a timeline", "Set where there is something to say.", names::TIMELINE_ATTRIBUTES),
    ("Attributes of an outcome", "Set by classifiers, and where one is missing.", names::OUTCOME_ATTRIBUTES),
    (
        "Fields",
        "Of timelines, attempt records and events, as text and structured output name them.",
        names::FIELDS,
    ),
    ("Callbacks", "The methods of an observer.", names::CALLBACKS),
];

pub(super) fn page(_: &Repo) -> Result<String> {
    let shown: usize = GROUPS.iter().map(|(_, _, names)| names.len()).sum();
    ensure!(shown == names::ALL.len(), "a group of names is not on the page");
    let mut text = head(
        "Telemetry names",
        "Every name that `recourse` writes, stable for v1.x; plugins may add attributes of their own. In code they are \
         the constants of `recourse::observe::names`.",
    );
    for (title, about, names) in GROUPS {
        text += &section(title, about);
        text += &table(
            ["name", "meaning"],
            names.iter().map(|(name, meaning)| [code(name), (*meaning).to_owned()]),
        );
    }
    Ok(text)
}
