//! The list of rules, and the run over all of them.

use crate::repo::{File, Repo};
use crate::tidy::{clocks, cycles, dependency_page, leftovers, links, manifests, shape, weight, words};
use crate::verdict::Verdict;
use anyhow::{Context, Result};

/// One rule: what holds, and what finds where it doesn't.
struct Rule {
    holds: &'static str,
    find: fn(&Repo, &[File]) -> Result<Vec<String>>,
}

const RULES: &[Rule] = &[
    Rule {
        holds: "a Rust file opens with //!, is not too long, and is named after what lives in it",
        find: |_, files| Ok(shape::find(files)),
    },
    Rule {
        holds: "nothing is left over in the code, and no test is ignored without an issue",
        find: |_, files| Ok(leftovers::find(files)),
    },
    Rule {
        holds: "no test sleeps, and only crates/recourse/src/runtime reads the system's clock",
        find: |_, files| clocks::find(files),
    },
    Rule {
        holds: "no path of a machine, no registry's host, no maker's name",
        find: |_, files| Ok(words::find(files)),
    },
    Rule { holds: "no circle of files inside a crate", find: |_, files| cycles::find(files) },
    Rule {
        holds: "crates inherit the lints, stand on a floor, depend downwards, and name versions in full",
        find: |repo, _| manifests::find(repo),
    },
    Rule { holds: "core depends on nothing, and the facade on few", find: |repo, _| weight::find(repo) },
    Rule {
        holds: "docs/dependencies.md names each dependency with its version",
        find: dependency_page::find,
    },
    Rule { holds: "each link between pages leads to a file", find: |_, files| Ok(links::find(files)) },
];

/// Checks every rule.
pub(crate) fn run(repo: &Repo) -> Result<Verdict> {
    let files = repo.files()?;
    let mut findings = Vec::new();
    for rule in RULES {
        let found = (rule.find)(repo, &files).with_context(|| format!("rule: {}", rule.holds))?;
        let mark = if found.is_empty() { "ok  " } else { "FAIL" };
        println!("{mark} {}", rule.holds);
        findings.extend(found);
    }
    Ok(Verdict::of_findings(&findings, &format!("{} rules over {} files", RULES.len(), files.len())))
}
