//! The facade's examples, run as programs: each must end with success, and soon.

use crate::cargo::Cargo;
use crate::repo::Repo;
use crate::test::tally::Tally;
use anyhow::{Context, Result, bail};
use cargo_metadata::{Message, TargetKind};
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PACKAGE: &str = "recourse";

/// Runs for many seconds under load; it has a command of its own.
const LONG: &str = "quickstart";

/// No example takes longer.
const LONGEST: Duration = Duration::from_secs(60);

/// Builds and runs them; a program that fails is shown with what it printed. `tests` is the command whose build
/// holds them.
pub(super) fn run(repo: &Repo, tests: &[&str]) -> Result<(Tally, Option<String>)> {
    let names = names(repo);
    if names.is_empty() {
        return Ok((Tally::default(), None));
    }
    // What the tests have built already, programs of the examples included.
    let build = Cargo::new(repo).args(tests).args(["--no-run", "--message-format=json-render-diagnostics"]);
    let (mut command, shown) = build.show();
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Ok((Tally::one(false), Some(format!("{shown}: {}", output.status))));
    }
    let logs = repo.target_directory().join("xtask");
    fs::create_dir_all(&logs)?;
    let mut sum = Tally::default();
    let mut problem = None;
    let mut ran = Vec::new();
    for message in Message::parse_stream(output.stdout.as_slice()) {
        let Message::CompilerArtifact(artifact) = message? else {
            continue;
        };
        let is_example = artifact.target.is_kind(TargetKind::Example) && !artifact.profile.test;
        let (Some(program), true) =
            (artifact.executable, is_example && names.contains(&artifact.target.name))
        else {
            continue;
        };
        let name = artifact.target.name;
        let log = logs.join(format!("example-{name}.txt"));
        let passed = one(&repo.root, program.as_std_path(), &name, &log)?;
        if !passed {
            problem = Some("an example failed".to_owned());
        }
        sum += Tally::one(passed);
        ran.push(name);
    }
    if let Some(name) = names.iter().find(|name| !ran.contains(name)) {
        bail!("cargo built no program for the example {name}");
    }
    Ok((sum, problem))
}

fn names(repo: &Repo) -> Vec<String> {
    let packages = repo.packages();
    let facade = packages.iter().filter(|package| package.name.as_str() == PACKAGE);
    facade
        .flat_map(|package| &package.targets)
        .filter(|target| target.is_kind(TargetKind::Example) && target.name != LONG)
        .map(|target| target.name.clone())
        .collect()
}

fn one(root: &Path, program: &Path, name: &str, log: &Path) -> Result<bool> {
    let start = Instant::now();
    let file = File::create(log)?;
    let mut child = Command::new(program)
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .spawn()
        .with_context(|| format!("the example {name} can't start"))?;
    let ended = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if start.elapsed() > LONGEST {
            child.kill()?;
            child.wait()?;
            break None;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let seconds = start.elapsed().as_secs_f64();
    match ended {
        Some(status) if status.success() => {
            println!("example {name} ... ok ({seconds:.1} s)");
            return Ok(true);
        }
        Some(status) => println!("example {name} ... FAILED ({status})"),
        None => println!("example {name} ... FAILED (still running after {seconds:.0} s)"),
    }
    println!("{}", fs::read_to_string(log).unwrap_or_default().trim_end());
    Ok(false)
}
