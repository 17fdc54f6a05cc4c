//! `model`: the model checks of every library. Loom runs each in every order of its threads' steps; some are bounded to so
//! many changes of thread out of turn.

use crate::cargo::Cargo;
use crate::repo::Repo;
use crate::verdict::Verdict;
use anyhow::{Context, Result, bail};
use cargo_metadata::{Message, Package, TargetKind};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The development dependency that explores, and so marks a library with models.
const EXPLORER: &str = "recourse-model";

/// How a test of the public surface that is a model is named.
const OUTSIDE: &str = "loom_";

/// The module in which a library's own models stand, and their filter.
const INSIDE: &str = "models::";

/// A program of models.
struct Program {
    package: String,
    path: String,
    filter: &'static [&'static str],
}

/// What was explored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Explored {
    models: u64,
    executions: u64,
}

/// Builds and runs all of them, and prints a line a library.
pub(crate) fn run(repo: &Repo) -> Result<Verdict> {
    let libraries = repo.libraries();
    let explores =
        |package: &&Package| package.dependencies.iter().any(|dependency| dependency.name == EXPLORER);
    let modelled: Vec<&Package> = libraries.into_iter().filter(explores).collect();
    let outside: Vec<&Package> = modelled.iter().copied().filter(|package| has_outside(package)).collect();
    let inside: Vec<&Package> = modelled.iter().copied().filter(|package| has_inside(package)).collect();
    let mut programs = build(repo, &outside, &["--test", "loom_*"], &[])?;
    programs.extend(build(repo, &inside, &["--lib"], &[INSIDE])?);
    let mut lines = Vec::new();
    let (mut all, mut broken) = (Explored::default(), Vec::new());
    for package in modelled {
        let (mut sum, start) = (Explored::default(), Instant::now());
        for program in programs.iter().filter(|program| program.package == package.name.as_str()) {
            let (explored, passed) = explore(program)?;
            if !passed {
                broken.push(package.name.to_string());
            }
            sum.models += explored.models;
            sum.executions += explored.executions;
        }
        if sum.models == 0 {
            broken.push(format!("{} has no model", package.name));
        }
        lines.push(line(package.name.as_str(), sum, start.elapsed()));
        all.models += sum.models;
        all.executions += sum.executions;
    }
    println!("\n{}", lines.join("\n"));
    broken.dedup();
    let note = format!("{} models, {} executions", all.models, all.executions);
    Ok(if broken.is_empty() { Verdict::Passed(note) } else { Verdict::Failed(broken.join(", ")) })
}

fn has_outside(package: &Package) -> bool {
    package.targets.iter().any(|target| target.is_kind(TargetKind::Test) && target.name.starts_with(OUTSIDE))
}

/// Whether there is a folder of models somewhere below `src`.
fn has_inside(package: &Package) -> bool {
    let Some(root) = package.manifest_path.parent() else { return false };
    let mut folders = vec![root.join("src").into_std_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()).filter(|path| path.is_dir()) {
            if path.ends_with("models") {
                return true;
            }
            folders.push(path);
        }
    }
    false
}

/// Builds the programs of these libraries, with a folder of their own: under another flag all is built anew.
fn build(
    repo: &Repo,
    packages: &[&Package],
    targets: &[&str],
    filter: &'static [&'static str],
) -> Result<Vec<Program>> {
    let names: Vec<String> = packages.iter().map(|package| package.name.to_string()).collect();
    let cargo = Cargo::new(repo)
        .args(["test", "--no-run", "--profile", "model", "--message-format=json-render-diagnostics"])
        .packages(&names)
        .args(targets)
        .env("RUSTFLAGS", "--cfg recourse_loom")
        .own_target(repo, "loom");
    let (mut command, shown) = cargo.show();
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        bail!("{shown}: {}", output.status);
    }
    let mut programs = Vec::new();
    for message in Message::parse_stream(output.stdout.as_slice()) {
        let Message::CompilerArtifact(artifact) = message? else { continue };
        let package = packages.iter().find(|package| package.id == artifact.package_id);
        if let (Some(package), Some(path)) = (package, artifact.executable) {
            let package = package.name.to_string();
            programs.push(Program { package, path: path.into_string(), filter });
        }
    }
    Ok(programs)
}

/// Runs a program, shows what it prints as it comes, and adds up what it explored.
fn explore(program: &Program) -> Result<(Explored, bool)> {
    println!("\n{}", program.package);
    let mut child = Command::new(&program.path)
        .arg("--nocapture")
        .args(program.filter)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("{} can't start", program.path))?;
    let mut sum = Explored::default();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line?;
            println!("{line}");
            if let Some(executions) = executions(&line) {
                sum.models += 1;
                sum.executions += executions;
            }
        }
    }
    Ok((sum, child.wait()?.success()))
}

/// The number in `explored NAME: 123 executions`, as `recourse-model` prints it.
fn executions(line: &str) -> Option<u64> {
    let (_, rest) = line.split_once("explored ")?.1.rsplit_once(": ")?;
    rest.split_once(" executions")?.0.parse().ok()
}

fn line(name: &str, Explored { models, executions }: Explored, took: Duration) -> String {
    format!("{name:<20}{models:>5} models{executions:>10} executions{:>8.1} s", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_model_says_it_explored_is_counted_also_behind_the_runners_words() {
        for line in [
            "explored a::model: 12 executions",
            "test a::model ... explored a::model: 12 executions, 2 preemptions at most",
        ] {
            assert_eq!(executions(line), Some(12));
        }
        assert_eq!(executions("test a::model ... ok"), None);
    }

    #[test]
    fn a_library_has_a_closing_line() {
        let text =
            line("recourse-core", Explored { models: 6, executions: 1234 }, Duration::from_millis(580));
        assert_eq!(text, "recourse-core           6 models      1234 executions     0.6 s");
    }
}
