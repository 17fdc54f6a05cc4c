//! What a user compiles: nothing with core, few crates with the facade.

use crate::cargo::Cargo;
use crate::repo::Repo;
use anyhow::Result;
use std::collections::BTreeSet;

/// Crates from outside that the facade may bring at its default features, directly or not.
const MOST_CRATES: usize = 12;

pub(super) fn find(repo: &Repo) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let core = tree(repo, "recourse-core", "normal")?;
    if core.len() != 1 {
        found.push(format!("recourse-core depends on {} crates; it must on none", core.len() - 1));
    }
    let outside = brought_by_facade(repo)?;
    if outside.len() > MOST_CRATES {
        let names: Vec<&str> = outside.iter().map(String::as_str).collect();
        found.push(format!(
            "recourse brings {} crates, at most {MOST_CRATES}: {}",
            outside.len(),
            names.join(", ")
        ));
    }
    Ok(found)
}

/// The crates from outside that the facade brings at its default features, directly or not.
pub(super) fn brought_by_facade(repo: &Repo) -> Result<BTreeSet<String>> {
    Ok(from_outside(&tree(repo, "recourse", "normal,build")?))
}

fn tree(repo: &Repo, package: &str, edges: &str) -> Result<Vec<String>> {
    let text =
        Cargo::new(repo).args(["tree", "--package", package, "--edges", edges, "--prefix", "none"]).read()?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// The names of the lines that show no folder of this workspace.
fn from_outside(lines: &[String]) -> BTreeSet<String> {
    lines
        .iter()
        .filter_map(|line| line.split_once(" v"))
        .map(|(name, _)| name.to_owned())
        .filter(|name| name != "recourse" && !name.starts_with("recourse-"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_counts_once_and_own_ones_do_not() {
        let lines = [
            "recourse v0.1.0 (folder)",
            "fastrand v2.5.0",
            "recourse-core v0.1.0 (folder)",
            "fastrand v2.5.0 (*)",
        ];
        let lines: Vec<String> = lines.map(str::to_owned).into();
        assert_eq!(from_outside(&lines).into_iter().collect::<Vec<_>>(), ["fastrand"]);
    }
}
