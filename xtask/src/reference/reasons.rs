//! `reason-codes.md`: every reason code, which of them end a call, and why circuits change their state.

use crate::reference::enumeration::{entries, rows};
use crate::reference::markdown::{code, head, section, table};
use crate::repo::Repo;
use anyhow::Result;
use recourse_budget::{OBSERVED_DENIAL, OBSERVED_PANIC};
use recourse_circuit::cause;
use recourse_core::{Component, GrpcCode, StopReason, reason};

/// Every reason why a call ends; a panic in the operation stands for all panics. That none is missing is checked
/// against the enum.
fn stops() -> Vec<StopReason> {
    let stands = |stop: &StopReason| !matches!(stop, StopReason::PanicIn(component) if *component != Component::Operation);
    StopReason::ALL.into_iter().filter(stands).collect()
}

pub(super) fn page(repo: &Repo) -> Result<String> {
    let mut text = head(
        "Reason codes",
        "Every code that `recourse` and the plugins of its crates write. The codes are stable for v1.x; plugins of your \
         own may add theirs.",
    );
    text += &section(
        "All codes",
        "In outcomes, budget decisions, rejections and stop reasons. In code they are the constants of \
         `recourse::reason`.",
    );
    let codes = reason::ALL.iter();
    text += &table(["code", "meaning"], codes.map(|(name, meaning)| [code(name), (*meaning).to_owned()]));
    text += &families();
    text += &section(
        "Stop reasons",
        "Why a call ended other than by a value that is a success; `stop` in a timeline, `stop_reason()` of an error. A \
         call that stopped with `accepted` is a success.",
    );
    let variants = entries(repo, "stop.rs", "StopReason")?;
    text += &table(["code", "meaning"], rows(&variants, &stops(), StopReason::as_str)?);
    let components = Component::ALL.map(|component| code(component.as_str()));
    text += &format!("\nThe components of `panic_in_<component>`: {}.\n", components.join(", "));
    text += &section(
        "Causes of a circuit's transitions",
        "`cause` in `on_circuit_transition` and in a breaker's `last_trip`. In code they are the constants of \
         `recourse::circuit::cause`.",
    );
    let causes = cause::ALL.iter();
    text += &table(["cause", "meaning"], causes.map(|(name, meaning)| [code(name), (*meaning).to_owned()]));
    Ok(text)
}

/// The codes that are no constants of core: those of gRPC statuses, of extra HTTP statuses, and of one budget.
fn families() -> String {
    let grpc: Vec<_> = GrpcCode::ALL.iter().map(|status| code(status.reason())).collect();
    let rows = [
        [
            grpc.join(", "),
            "the gRPC status; the classifier `grpc` writes `context_canceled` for `Cancelled` and \
             `context_deadline_exceeded` for `DeadlineExceeded`"
                .to_owned(),
        ],
        [
            code("http_<status>"),
            "an HTTP status that a classifier was told to retry (`Http::retry_status`)".to_owned(),
        ],
        [
            code(OBSERVED_DENIAL),
            "the attempt went through, and the budget inside an `Observing` would have denied it \
             (`recourse::budget::OBSERVED_DENIAL`)"
                .to_owned(),
        ],
        [
            code(OBSERVED_PANIC),
            "the attempt went through, and the budget inside an `Observing` panicked when it was asked \
             (`recourse::budget::OBSERVED_PANIC`)"
                .to_owned(),
        ],
    ];
    section("Codes with a part of their own", "In outcomes and budget decisions.")
        + &table(["code", "meaning"], rows)
}
