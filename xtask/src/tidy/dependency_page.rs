//! `docs/dependencies.md` against the manifests: a row of a table for each crate from outside, with its version.

use crate::repo::{File, Repo};
use crate::tidy::weight;
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};

const PAGE: &str = "docs/dependencies.md";

/// How the second cell begins for a crate that another one brings.
const THROUGH: &str = "through ";

pub(super) fn find(repo: &Repo, files: &[File]) -> Result<Vec<String>> {
    let Some(page) = files.iter().find(|file| file.path == PAGE) else {
        return Ok(vec![format!("{PAGE} is not there")]);
    };
    let beside = repo.packages_beside()?;
    let named = repo.packages().into_iter().chain(&beside).flat_map(|package| {
        let from_outside = package.dependencies.iter().filter(|dependency| dependency.path.is_none());
        from_outside.map(|dependency| (dependency.name.clone(), dependency.req.to_string()))
    });
    let mut wanted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, requirement) in named {
        let version = requirement.trim_start_matches(['^', '=']).to_owned();
        wanted.entry(name).or_default().insert(version);
    }
    let brought = weight::brought_by_facade(repo)?;
    Ok(compare(&rows(&page.text), &wanted, &brought))
}

/// The first two cells of each table row that begins with a name in backticks.
fn rows(page: &str) -> BTreeMap<String, String> {
    page.lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
            let name = cells.next()?.strip_prefix('`')?.strip_suffix('`')?;
            Some((name.to_owned(), cells.next().unwrap_or_default().to_owned()))
        })
        .collect()
}

fn compare(
    rows: &BTreeMap<String, String>,
    wanted: &BTreeMap<String, BTreeSet<String>>,
    brought: &BTreeSet<String>,
) -> Vec<String> {
    let mut found = Vec::new();
    for (name, versions) in wanted {
        for version in versions {
            match rows.get(name) {
                None => found.push(format!("{PAGE}: no row for {name} {version}")),
                Some(said) if !said.split([',', ' ']).any(|said| said == version) => {
                    found.push(format!("{PAGE}: {name} is {version} in a manifest, not {said:?}"));
                }
                Some(_) => {}
            }
        }
    }
    for name in brought.difference(&wanted.keys().cloned().collect()) {
        if !rows.contains_key(name) {
            found.push(format!("{PAGE}: no row for {name}, which the facade brings"));
        }
    }
    for (name, version) in rows {
        // Which crates come through others depends on the system; those rows only have to be there.
        if !wanted.contains_key(name) && !version.starts_with(THROUGH) {
            found.push(format!("{PAGE}: {name} is no dependency any more"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_row_an_old_version_and_a_stale_row_are_found() {
        let page = "| crate | version |\n|---|---|\n| `fastrand` | 2.4.0 | why |\n| `gone` | 1.0.0 | why |\n";
        let wanted = [("fastrand", "2.5.0"), ("tokio", "1.54.1")]
            .map(|(name, version)| (name.to_owned(), BTreeSet::from([version.to_owned()])));
        let brought = BTreeSet::from(["fastrand".to_owned(), "libc".to_owned()]);
        assert_eq!(
            compare(&rows(page), &wanted.into(), &brought),
            [
                "docs/dependencies.md: fastrand is 2.5.0 in a manifest, not \"2.4.0\"",
                "docs/dependencies.md: no row for tokio 1.54.1",
                "docs/dependencies.md: no row for libc, which the facade brings",
                "docs/dependencies.md: gone is no dependency any more",
            ]
        );
    }
}
