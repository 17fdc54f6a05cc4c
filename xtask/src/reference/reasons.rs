//! `reason-codes.md`: every reason code, and which of them end a call.

use crate::reference::enumeration::{entries, rows};
use crate::reference::markdown::{code, head, section, table};
use crate::repo::Repo;
use anyhow::Result;
use recourse_core::{Component, StopReason, reason};

/// Every reason why a call ends; a panic in the operation stands for all panics. That none is missing is checked
/// against the enum.
const STOPS: &[StopReason] = &[
    StopReason::AttemptsExhausted,
    StopReason::NonRetryable,
    StopReason::Abort,
    StopReason::Accepted,
    StopReason::BudgetDenied,
    StopReason::BudgetNotFound,
    StopReason::CircuitOpen,
    StopReason::CircuitHalfOpenProbeLimit,
    StopReason::BreakerNotFound,
    StopReason::OverallTimeout,
    StopReason::DeadlineWouldPass,
    StopReason::ServerDelayTooLong,
    StopReason::NoPolicy,
    StopReason::ClassifierNotFound,
    StopReason::InvalidKey,
    StopReason::ContextCanceled,
    StopReason::PanicIn(Component::Operation),
];

pub(super) fn page(repo: &Repo) -> Result<String> {
    let mut text = head(
        "Reason codes",
        "Every code that `recourse` writes. The codes are stable for v1.x; plugins may add their own. In code they are \
         the constants of `recourse::reason`.",
    );
    text += &section("All codes", "In outcomes, budget decisions, rejections and stop reasons.");
    let codes = reason::ALL.iter();
    text += &table(["code", "meaning"], codes.map(|(name, meaning)| [code(name), (*meaning).to_owned()]));
    text += &section(
        "Stop reasons",
        "Why a call ended other than by a success; `stop` in a timeline, `stop_reason()` of an error.",
    );
    let variants = entries(repo, "stop.rs", "StopReason")?;
    text += &table(["code", "meaning"], rows(&variants, STOPS, StopReason::as_str)?);
    let components = Component::ALL.map(|component| code(component.as_str()));
    text += &format!("\nThe components of `panic_in_<component>`: {}.\n", components.join(", "));
    Ok(text)
}
