//! `fuzz`: each target of `crates/recourse/fuzz` for some seconds, from its kept inputs on.
//!
//! What is found stays under `target/fuzz`, and the kept inputs are only read. There is no unsafe code to watch, so it
//! goes without a sanitizer; that is why any toolchain will do. `.github/workflows/ci.yml` pins cargo-fuzz.

use crate::cargo::Cargo;
use crate::repo::{FUZZ as MANIFEST, Repo};
use crate::verdict::Verdict;
use anyhow::{Context, Result, bail, ensure};
use cargo_metadata::TargetKind;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

const FOLDER: &str = "crates/recourse/fuzz";

/// How long each target runs where nobody says; `ci` has time for no more.
const SECONDS: u64 = 6;

const MISSING: &str =
    "cargo-fuzz is not here; `cargo install cargo-fuzz` gets it, and it needs a C++ compiler";

/// Lines of a failed run that are shown.
const SHOWN: usize = 40;

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    seconds: u64,
    /// Every target where this is empty.
    targets: Vec<String>,
}

/// Whether these arguments can be obeyed, as far as they alone can tell.
pub(crate) fn allows(given: &[String]) -> bool {
    Asked::read(given).is_some()
}

/// Runs the targets that are asked for, one after another, and every one of them even if one fails.
pub(crate) fn run(repo: &Repo, given: &[String]) -> Result<Verdict> {
    let asked = Asked::read(given).context("write: cargo xtask fuzz [--seconds N] [TARGET...]")?;
    let targets = asked.choose(targets(repo)?)?;
    if Cargo::new(repo).args(["fuzz", "--version"]).read().is_err() {
        return Ok(Verdict::NotMade(MISSING.to_owned()));
    }
    let place = Place { repo, folder: repo.target_directory().join("fuzz") };
    let one = if let [one] = &targets[..] { vec![one.as_str()] } else { Vec::new() };
    let built = place.fuzz("build").args(one).run()?;
    if built.is_failure() {
        return Ok(built);
    }
    let (mut inputs, mut failed) = (0, Vec::new());
    for target in &targets {
        match place.run(target, asked.seconds)? {
            Some(tried) => inputs += tried,
            None => failed.push(target.as_str()),
        }
    }
    Ok(if failed.is_empty() {
        Verdict::Passed(format!("{inputs} inputs to {} targets", targets.len()))
    } else {
        Verdict::Failed(failed.join("; "))
    })
}

/// The names of the targets: the programs of the package.
fn targets(repo: &Repo) -> Result<Vec<String>> {
    let packages = repo.packages_of(MANIFEST)?;
    let all = packages.into_iter().flat_map(|package| package.targets);
    Ok(all.filter(|target| target.is_kind(TargetKind::Bin)).map(|target| target.name).collect())
}

impl Asked {
    fn read(given: &[String]) -> Option<Self> {
        let mut asked = Asked { seconds: SECONDS, targets: Vec::new() };
        let mut given = given.iter();
        while let Some(argument) = given.next() {
            if argument == "--seconds" {
                asked.seconds = given.next()?.parse().ok().filter(|&seconds| seconds > 0)?;
            } else if argument.starts_with('-') {
                return None;
            } else {
                asked.targets.push(argument.clone());
            }
        }
        Some(asked)
    }

    fn choose(&self, all: Vec<String>) -> Result<Vec<String>> {
        ensure!(!all.is_empty(), "{MANIFEST} has no targets");
        if let Some(unknown) = self.targets.iter().find(|name| !all.contains(name)) {
            bail!("there is no target {unknown:?}, but {}", all.join(", "));
        }
        Ok(if self.targets.is_empty() { all } else { self.targets.clone() })
    }
}

/// Where the targets are built and run.
struct Place<'r> {
    repo: &'r Repo,
    folder: PathBuf,
}

impl Place<'_> {
    fn fuzz(&self, command: &str) -> Cargo {
        Cargo::new(self.repo)
            .args(["fuzz", command, "--fuzz-dir", FOLDER, "--sanitizer", "none"])
            .own_target(self.repo, "fuzz")
    }

    /// How many inputs were tried; none if one of them breaks a promise.
    fn run(&self, target: &str, seconds: u64) -> Result<Option<u64>> {
        let (inputs, finds) =
            (self.folder.join("corpus").join(target), self.folder.join("finds").join(target));
        fs::create_dir_all(&finds)?;
        copy(&self.repo.root.join(FOLDER).join("corpus").join(target), &inputs)?;
        let log = self.folder.join(format!("{target}.txt"));
        let mut options = vec![
            format!("-max_total_time={seconds}"),
            "-print_final_stats=1".to_owned(),
            format!("-artifact_prefix={}/", finds.display()),
        ];
        let dictionary = self.repo.root.join(FOLDER).join("dictionaries").join(format!("{target}.dict"));
        if dictionary.exists() {
            options.push(format!("-dict={}", dictionary.display()));
        }
        let fuzz = self.fuzz("run").args([target, &inputs.to_string_lossy(), "--"]).args(options);
        let (mut command, shown) = fuzz.show();
        let output = File::create(&log)?;
        let ended = command.stdout(output.try_clone()?).stderr(output).status();
        let ended = ended.with_context(|| format!("{shown:?} can't start"))?;
        let said = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        if ended.success() {
            let tried = tried(&said).with_context(|| format!("{} tells no number", log.display()))?;
            println!("{target} ... ok ({tried} inputs)");
            return Ok(Some(tried));
        }
        println!("{}", end(&said));
        println!("{target} ... FAILED; all that it said is in {}", self.repo.relative(&log));
        println!("try an input of {} again with", self.repo.relative(&finds));
        println!("  cargo run --manifest-path {MANIFEST} --bin {target} FILE");
        Ok(None)
    }
}

/// Copies the files of a folder into another one, beside what is there.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    let entries = fs::read_dir(from).with_context(|| format!("{} has no inputs", from.display()))?;
    for entry in entries {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

/// The number of inputs in a run's closing lines.
fn tried(said: &str) -> Option<u64> {
    said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:")?.trim().parse().ok())
}

/// From the panic on, or the last lines.
fn end(said: &str) -> String {
    let lines: Vec<&str> = said.lines().collect();
    let panic = lines.iter().position(|line| line.contains(" panicked at "));
    let from = panic.unwrap_or(lines.len().saturating_sub(SHOWN));
    lines[from..].iter().take(SHOWN).copied().collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: &[&str]) -> Option<Asked> {
        Asked::read(&given.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn a_time_and_targets_may_be_named() {
        assert_eq!(read(&[]), Some(Asked { seconds: SECONDS, targets: Vec::new() }));
        let asked = read(&["--seconds", "300", "key"]).unwrap();
        assert_eq!((asked.seconds, asked.targets), (300, vec!["key".to_owned()]));
        for bad in [&["--seconds"][..], &["--seconds", "0"], &["--seconds", "soon"], &["--second"]] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_target_that_is_not_there_is_named_beside_those_that_are() {
        let all = || vec!["key".to_owned(), "timeline".to_owned()];
        assert_eq!(read(&[]).unwrap().choose(all()).unwrap(), all());
        assert_eq!(read(&["key"]).unwrap().choose(all()).unwrap(), ["key"]);
        let error = read(&["kye"]).unwrap().choose(all()).unwrap_err().to_string();
        assert_eq!(error, "there is no target \"kye\", but key, timeline");
    }

    #[test]
    fn a_log_tells_how_many_inputs_were_tried_and_where_it_went_wrong() {
        let said = "#1\tINITED\nstat::number_of_executed_units: 307891\nstat::new_units_added: 2\n";
        assert_eq!(tried(said), Some(307_891));
        assert_eq!(tried("#1\tINITED\n"), None);
        let said = "#7\tNEW\n\nthread 'main' panicked at src/key.rs:9:5:\nno key\n==1== ERROR\n";
        assert_eq!(end(said), "thread 'main' panicked at src/key.rs:9:5:\nno key\n==1== ERROR");
        assert_eq!(end("cannot open"), "cannot open");
    }
}
