//! `timeline-fields.md`: what a timeline, its attempts and the events hold, field by field.

use crate::reference::enumeration::{entries, rows};
use crate::reference::markdown::{code, head, plain, section, table};
use crate::repo::Repo;
use anyhow::Result;
use recourse_core::{AttemptKind, CircuitState, DecisionMode, Ending, OutcomeKind, PolicySource};

/// The types of the page: heading, file of core, name.
const TYPES: &[(&str, &str, &str)] = &[
    ("Timeline", "timeline/call.rs", "Timeline"),
    ("Attempt record", "timeline/record.rs", "AttemptRecord"),
    ("Outcome", "outcome.rs", "Outcome"),
    ("Budget decision", "observe.rs", "BudgetEvent"),
    ("Circuit transition", "circuit/state.rs", "Transition"),
];

const OUTCOMES: &[OutcomeKind] = &[
    OutcomeKind::Success,
    OutcomeKind::Retryable,
    OutcomeKind::NonRetryable,
    OutcomeKind::Abort,
    OutcomeKind::Unknown,
];

const SOURCES: &[PolicySource] = &[
    PolicySource::Static,
    PolicySource::Remote,
    PolicySource::LastKnownGood,
    PolicySource::Default,
    PolicySource::Unknown,
];

const MODES: &[DecisionMode] = &[
    DecisionMode::Standard,
    DecisionMode::Allow,
    DecisionMode::Deny,
    DecisionMode::Fallback,
    DecisionMode::AllowUnsafe,
    DecisionMode::Unknown,
];

const KINDS: &[AttemptKind] = &[AttemptKind::Retry, AttemptKind::Hedge];

const STATES: &[CircuitState] = &[CircuitState::Closed, CircuitState::Open, CircuitState::HalfOpen];

pub(super) fn page(repo: &Repo) -> Result<String> {
    let mut text = head(
        "Timeline fields",
        "What a call leaves behind. The names of attributes are in [telemetry names](telemetry-names.md), the codes in \
         [reason codes](reason-codes.md).",
    );
    for (title, file, name) in TYPES {
        text += &section(title, &format!("The public fields of `recourse::{name}`."));
        let fields = entries(repo, file, name)?;
        text += &table(
            ["field", "type", "meaning"],
            fields.iter().map(|field| [code(&field.name), code(&field.rest), plain(&field.doc)]),
        );
        if *name == "Timeline" {
            text += "\nIts attempts are `attempts()`, in the order in which they started.\n";
        }
    }
    let values = |title: &str, about: &str, rows: Vec<[String; 2]>| {
        section(title, about) + &table(["value", "meaning"], rows)
    };
    let endings = entries(repo, "timeline/record.rs", "Ending")?;
    text += &values("Endings", "How an attempt ended.", rows(&endings, &Ending::ALL, Ending::as_str)?);
    let kinds = entries(repo, "outcome.rs", "OutcomeKind")?;
    text += &values(
        "Outcome kinds",
        "What the executor does after an attempt, by growing severity.",
        rows(&kinds, OUTCOMES, OutcomeKind::as_str)?,
    );
    let sources = entries(repo, "policy/effective.rs", "PolicySource")?;
    text += &values(
        "Policy sources",
        "The attribute `policy_source`.",
        rows(&sources, SOURCES, PolicySource::as_str)?,
    );
    let kinds = entries(repo, "budget.rs", "AttemptKind")?;
    text +=
        &values("Attempt kinds", "`kind` of a budget decision.", rows(&kinds, KINDS, AttemptKind::as_str)?);
    let modes = entries(repo, "observe.rs", "DecisionMode")?;
    text +=
        &values("Decision modes", "`mode` of a budget decision.", rows(&modes, MODES, DecisionMode::as_str)?);
    let states = entries(repo, "circuit/state.rs", "CircuitState")?;
    text += &values(
        "Circuit states",
        "The attribute `circuit_state`, and both ends of a transition.",
        rows(&states, STATES, CircuitState::as_str)?,
    );
    Ok(text)
}
