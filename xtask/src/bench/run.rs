//! `bench`: the benches, a workspace of their own.

use crate::cargo::Cargo;
use crate::repo::Repo;
use crate::verdict::Verdict;
use anyhow::Result;

const MANIFEST: &str = "benches/Cargo.toml";

/// Runs `cargo bench` there; the arguments go with it.
pub(crate) fn run(repo: &Repo, arguments: &[String]) -> Result<Verdict> {
    if !repo.root.join(MANIFEST).exists() {
        return Ok(Verdict::Failed(format!("{MANIFEST} is not there")));
    }
    Cargo::new(repo).args(["bench", "--manifest-path", MANIFEST]).args(arguments).run()
}
