//! [`Cargo`]: one cargo command, shown before it runs.

use crate::repo::Repo;
use crate::verdict::Verdict;
use anyhow::{Context, Result, bail};
use std::process::{Command, Stdio};

/// A cargo command in the project's folder.
#[derive(Debug)]
pub(crate) struct Cargo {
    command: Command,
    shown: String,
}

impl Cargo {
    /// The cargo that runs this task.
    pub(crate) fn new(repo: &Repo) -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        Cargo::from(repo, Command::new(cargo), "cargo")
    }

    /// The cargo of a toolchain that rustup has.
    pub(crate) fn of_toolchain(repo: &Repo, toolchain: &str) -> Self {
        let mut command = Command::new("rustup");
        command.args(["run", toolchain, "cargo"]);
        Cargo::from(repo, command, &format!("cargo +{toolchain}"))
    }

    fn from(repo: &Repo, mut command: Command, shown: &str) -> Self {
        command.current_dir(&repo.root).stdin(Stdio::null());
        Cargo { command, shown: shown.to_owned() }
    }

    /// Adds arguments.
    pub(crate) fn args<S: AsRef<str>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        for argument in arguments {
            let argument = argument.as_ref();
            self.command.arg(argument);
            self.shown += " ";
            self.shown += argument;
        }
        self
    }

    /// Adds `--package` for each name.
    pub(crate) fn packages(self, names: &[String]) -> Self {
        self.args(names.iter().flat_map(|name| ["--package", name]))
    }

    /// Sets a variable of the environment.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.command.env(name, value.as_ref());
        self.shown = format!("{name}={:?} {}", value.as_ref(), self.shown);
        self
    }

    /// Builds into `target/<name>`, so that another toolchain or flag doesn't throw away what is built.
    pub(crate) fn own_target(mut self, repo: &Repo, name: &str) -> Self {
        self.command.env("CARGO_TARGET_DIR", repo.target_directory().join(name));
        self
    }

    /// The command, shown, for who wants to run it himself.
    pub(crate) fn show(self) -> (Command, String) {
        println!("$ {}", self.shown);
        (self.command, self.shown)
    }

    /// Runs it; its output goes to the terminal.
    pub(crate) fn run(self) -> Result<Verdict> {
        let (mut command, shown) = self.show();
        let status = command.status().with_context(|| format!("{shown:?} can't start"))?;
        Ok(if status.success() {
            Verdict::Passed(String::new())
        } else {
            Verdict::Failed(status.to_string())
        })
    }

    /// Runs it without showing it, and returns what it printed.
    pub(crate) fn read(mut self) -> Result<String> {
        let output = self
            .command
            .stderr(Stdio::piped())
            .output()
            .with_context(|| format!("{:?} can't start", self.shown))?;
        if !output.status.success() {
            bail!(
                "{:?}: {}\n{}",
                self.shown,
                output.status,
                String::from_utf8_lossy(&output.stderr).trim_end()
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
