//! [`Repo`]: the project's folder, its files and its crates.

use anyhow::{Context, Result};
use cargo_metadata::{Metadata, MetadataCommand, Package};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The benches, a workspace of their own.
pub(crate) const BENCHES: &str = "benches/Cargo.toml";

/// The fuzz targets, a workspace of their own.
pub(crate) const FUZZ: &str = "crates/recourse/fuzz/Cargo.toml";

/// The project on disk.
#[derive(Debug)]
pub(crate) struct Repo {
    /// The folder of the workspace's manifest.
    pub(crate) root: PathBuf,
    metadata: Metadata,
}

/// A file that belongs to the project.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// From the root, with `/` on every system.
    pub(crate) path: String,
    /// What it says, with `\n` line ends.
    pub(crate) text: String,
}

impl File {
    /// Whether the path has this ending, `rs` say.
    pub(crate) fn is(&self, ending: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == ending)
    }
}

impl Repo {
    /// The project that this program was built from.
    pub(crate) fn open() -> Result<Self> {
        // Cargo sets it at run time too, so a moved clone finds itself.
        let own = std::env::var("CARGO_MANIFEST_DIR").context("start this with `cargo xtask`")?;
        let metadata = MetadataCommand::new()
            .manifest_path(Path::new(&own).join("Cargo.toml"))
            .no_deps()
            .exec()
            .context("cargo can't read the workspace")?;
        Ok(Repo { root: metadata.workspace_root.clone().into(), metadata })
    }

    /// Where cargo builds.
    pub(crate) fn target_directory(&self) -> &Path {
        self.metadata.target_directory.as_std_path()
    }

    /// Every crate of the workspace.
    pub(crate) fn packages(&self) -> Vec<&Package> {
        self.metadata.workspace_packages()
    }

    /// The crates that are published: everything but this program and crates that only tests use.
    pub(crate) fn libraries(&self) -> Vec<&Package> {
        let mut libraries = self.packages();
        libraries.retain(|package| package.publish.as_ref().is_none_or(|to| !to.is_empty()));
        libraries
    }

    /// The names of [`libraries`](Self::libraries).
    pub(crate) fn published_names(&self) -> Vec<String> {
        self.libraries().iter().map(|package| package.name.to_string()).collect()
    }

    /// The packages of the other workspaces in the project.
    pub(crate) fn packages_beside(&self) -> Result<Vec<Package>> {
        let mut packages = Vec::new();
        for manifest in [BENCHES, FUZZ] {
            packages.extend(self.packages_of(manifest)?);
        }
        Ok(packages)
    }

    /// The packages of another workspace in the project, if it is there.
    pub(crate) fn packages_of(&self, manifest: &str) -> Result<Vec<Package>> {
        let path = self.root.join(manifest);
        if !path.exists() {
            return Ok(Vec::new());
        }
        Ok(MetadataCommand::new()
            .manifest_path(path)
            .no_deps()
            .exec()
            .with_context(|| format!("cargo can't read {manifest}"))?
            .packages)
    }

    /// A path on disk, from the root and with `/`.
    pub(crate) fn relative(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).to_string_lossy().replace('\\', "/")
    }

    /// Every text file of the project that is tracked, or would be by `git add --all`.
    pub(crate) fn files(&self) -> Result<Vec<File>> {
        let mut files = Vec::new();
        for path in self.paths()? {
            let bytes = match fs::read(self.root.join(&path)) {
                Ok(bytes) => bytes,
                // Deleted, and not committed yet.
                Err(_) => continue,
            };
            if let Ok(text) = String::from_utf8(bytes) {
                let text = text.replace("\r\n", "\n");
                files.push(File { path, text });
            }
        }
        Ok(files)
    }

    fn paths(&self) -> Result<Vec<String>> {
        let output = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(&self.root)
            .output()
            .context("git can't start; the list of the project's files comes from it")?;
        anyhow::ensure!(
            output.status.success(),
            "git ls-files: {}",
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
        let mut paths: Vec<String> =
            String::from_utf8_lossy(&output.stdout).split_terminator('\0').map(str::to_owned).collect();
        paths.sort();
        paths.dedup();
        Ok(paths)
    }
}
