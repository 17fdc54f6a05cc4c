//! The minimum supported Rust version: every library is checked with the very toolchain that its manifest names.

use crate::repo::Repo;
use crate::toolchain::Toolchain;
use crate::verdict::Verdict;
use anyhow::{Result, bail};

/// Checks the libraries with no features, the default ones and all of them.
pub(crate) fn run(repo: &Repo) -> Result<Verdict> {
    let version = version(repo)?;
    let toolchain = match Toolchain::find(&version) {
        Ok(toolchain) => toolchain,
        Err(why) => return Ok(Verdict::NotMade(why)),
    };
    for features in [&["--no-default-features"][..], &[], &["--all-features"]] {
        let verdict = toolchain
            .cargo(repo)
            .args(["check"])
            .packages(&repo.published_names())
            .args(features)
            .own_target(repo, "msrv")
            .run()?;
        if verdict.is_failure() {
            return Ok(verdict);
        }
    }
    Ok(Verdict::Passed(format!("Rust {version}, three sets of features")))
}

/// The one version that all libraries name, in full.
fn version(repo: &Repo) -> Result<String> {
    let mut found = None;
    for package in repo.libraries() {
        let Some(version) = &package.rust_version else {
            bail!("{} names no rust-version", package.name);
        };
        match found {
            None => found = Some(version),
            Some(other) if other != version => {
                bail!("{} names Rust {version}, another crate {other}", package.name)
            }
            Some(_) => {}
        }
    }
    match found {
        Some(version) => Ok(version.to_string()),
        None => bail!("there is no library crate"),
    }
}
