//! A toolchain of a given version: the running one, one that rustup has, or one that rustup can fetch.

use crate::cargo::Cargo;
use crate::repo::Repo;
use std::process::{Command, Stdio};

/// A toolchain that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Toolchain {
    /// The one that runs this task has that version.
    Running,
    /// rustup has it, by this name.
    Named(String),
}

impl Toolchain {
    /// The toolchain of `version` (`1.85.0`), fetched if need be; otherwise why there is none.
    pub(crate) fn find(version: &str) -> Result<Self, String> {
        if answers(Command::new("rustc").arg("--version"), version) {
            return Ok(Toolchain::Running);
        }
        if answers(Command::new("rustup").args(["run", version, "rustc", "--version"]), version) {
            return Ok(Toolchain::Named(version.to_owned()));
        }
        println!("$ rustup toolchain install {version} --profile minimal");
        let fetched = Command::new("rustup")
            .args(["toolchain", "install", version, "--profile", "minimal"])
            .stdin(Stdio::null())
            .status();
        match fetched {
            Ok(status) if status.success() => Ok(Toolchain::Named(version.to_owned())),
            Ok(_) => Err(format!("rustup could not install Rust {version}")),
            Err(_) => Err(format!("Rust {version} is not here, and there is no rustup to fetch it")),
        }
    }

    /// Its cargo.
    pub(crate) fn cargo(&self, repo: &Repo) -> Cargo {
        match self {
            Toolchain::Running => Cargo::new(repo),
            Toolchain::Named(name) => Cargo::of_toolchain(repo, name),
        }
    }
}

fn answers(command: &mut Command, version: &str) -> bool {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output();
    output.is_ok_and(|output| {
        output.status.success()
            && String::from_utf8_lossy(&output.stdout).starts_with(&format!("rustc {version} "))
    })
}
