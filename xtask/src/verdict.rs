//! [`Verdict`]: what a task says in the end.

use std::fmt;

/// How a task or a step ended. Each carries a line for the summary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Everything holds.
    Passed(String),
    /// Something doesn't hold; the details are printed already.
    Failed(String),
    /// It couldn't be looked at here; this is no pass.
    NotMade(String),
}

impl Verdict {
    /// A pass for no findings, otherwise a failure; prints each finding.
    pub(crate) fn of_findings(findings: &[String], what: &str) -> Self {
        for finding in findings {
            println!("{finding}");
        }
        if findings.is_empty() {
            Verdict::Passed(format!("{what}: nothing found"))
        } else {
            Verdict::Failed(format!("{what}: {} found", findings.len()))
        }
    }

    /// The line for the summary.
    pub(crate) fn note(&self) -> &str {
        match self {
            Verdict::Passed(note) | Verdict::Failed(note) | Verdict::NotMade(note) => note,
        }
    }

    /// Whether it is a failure.
    pub(crate) fn is_failure(&self) -> bool {
        matches!(self, Verdict::Failed(_))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Passed(_) => "passed",
            Verdict::Failed(_) => "FAILED",
            Verdict::NotMade(_) => "NOT MADE",
        })
    }
}
