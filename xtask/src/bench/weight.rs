//! What compiling recourse takes, what it adds to a program, and how many packages come with it.

use crate::bench::figures::Weight;
use crate::cargo::Cargo;
use crate::repo::{BENCHES as MANIFEST, Repo};
use anyhow::{Context, Result, ensure};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Instant;

/// Whose packages are counted, in this workspace and in that of the benches.
const OURS: &[&str] = &["recourse", "recourse-core"];
const PEERS: &[&str] = &[
    "backon",
    "execution-policy",
    "failsafe",
    "recloser",
    "seatbelt",
    "tokio-retry2",
    "tower",
    "tower-resilience",
];

/// Weighs everything. Builds twice; the first build is the one that is timed. `host` is this machine's triple.
pub(super) fn weigh(repo: &Repo, host: &str) -> Result<Weight> {
    let build_seconds = cold_build(repo, host)?;
    let (empty_bytes, one_call_bytes) = programs(repo)?;
    Ok(Weight { build_seconds, empty_bytes, one_call_bytes, packages: packages(repo)? })
}

/// Seconds of `cargo build -p recourse --release` into an empty folder; what it needs is downloaded before.
fn cold_build(repo: &Repo, host: &str) -> Result<f64> {
    Cargo::new(repo).args(["fetch", "--target", host]).read()?;
    let folder = repo.target_directory().join("cold");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("{} can't be emptied", folder.display()))?;
    }
    let build =
        Cargo::new(repo).args(["build", "--package", "recourse", "--release"]).own_target(repo, "cold");
    let start = Instant::now();
    let verdict = build.run()?;
    let took = start.elapsed().as_secs_f64();
    ensure!(!verdict.is_failure(), "recourse doesn't build: {}", verdict.note());
    fs::remove_dir_all(&folder).with_context(|| format!("{} can't be removed", folder.display()))?;
    Ok((took * 10.0).round() / 10.0)
}

/// Bytes of a program that does nothing and of one that makes one call, both without symbols.
fn programs(repo: &Repo) -> Result<(u64, u64)> {
    let verdict = Cargo::new(repo)
        .args(["build", "--manifest-path", MANIFEST, "--package", "recourse-size", "--profile", "size"])
        .own_target(repo, "size")
        .run()?;
    ensure!(!verdict.is_failure(), "the programs don't build: {}", verdict.note());
    let bytes = |name: &str| {
        let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        let path = repo.target_directory().join("size").join("size").join(name);
        Ok::<_, anyhow::Error>(fs::metadata(&path).with_context(|| path.display().to_string())?.len())
    };
    Ok((bytes("empty")?, bytes("one-call")?))
}

fn packages(repo: &Repo) -> Result<BTreeMap<String, usize>> {
    let mut packages = BTreeMap::new();
    for (manifest, names) in [("Cargo.toml", OURS), (MANIFEST, PEERS)] {
        for name in names {
            let tree = Cargo::new(repo)
                .args(["tree", "--manifest-path", manifest, "--package", name])
                .args(["--edges", "normal,build", "--prefix", "none"])
                .read()?;
            packages.insert((*name).to_owned(), brought(&tree, name));
        }
    }
    Ok(packages)
}

/// How many packages a tree has beside the one that was asked for, and beside ours.
fn brought(tree: &str, name: &str) -> usize {
    let names: BTreeSet<&str> =
        tree.lines().filter_map(|line| line.split_once(" v")).map(|(name, _)| name).collect();
    let is_ours = |name: &str| name == "recourse" || name.starts_with("recourse-");
    names.into_iter().filter(|other| *other != name && !is_ours(other)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_counts_once_and_neither_itself_nor_ours_do() {
        let tree = "tower v0.5.3\nfutures-core v0.3.34\ntower-layer v0.3.3\nfutures-core v0.3.34 (*)\n";
        assert_eq!(brought(tree, "tower"), 2);
        assert_eq!(
            brought("recourse v0.1.0 (folder)\nrecourse-core v0.1.0 (folder)\nlibc v0.2.0\n", "recourse"),
            1
        );
    }
}
