//! The list of pages, and the run over all of them.

use crate::diff;
use crate::reference::{limits, reasons, schema, telemetry, timeline};
use crate::repo::Repo;
use crate::verdict::Verdict;
use anyhow::{Context, Result};

/// A page: its name and what writes its text.
type Page = (&'static str, fn(&Repo) -> Result<String>);

const PAGES: &[Page] = &[
    ("reason-codes", reasons::page),
    ("defaults-and-limits", limits::page),
    ("policy-schema", schema::page),
    ("timeline-fields", timeline::page),
    ("telemetry-names", telemetry::page),
];

/// Writes the pages, or compares them.
pub(crate) fn run(repo: &Repo, check: bool) -> Result<Verdict> {
    let mut stale = Vec::new();
    for (name, write) in PAGES {
        let path = format!("docs/reference/{name}.md");
        let text = write(repo).with_context(|| path.clone())?;
        if !diff::bring_up_to_date(&repo.root, &path, &text, check)? {
            stale.push(path);
        }
    }
    Ok(if check && !stale.is_empty() {
        Verdict::Failed(format!("not what the code says; run: cargo xtask reference ({})", stale.join(", ")))
    } else {
        Verdict::Passed(String::new())
    })
}
