//! The whole suite: all features with doctests, the examples, then no features.

use crate::cargo::Cargo;
use crate::repo::Repo;
use crate::test::examples;
use crate::test::tally::Tally;
use crate::verdict::Verdict;
use anyhow::{Context, Result};
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

/// Everything with every feature.
const ALL_FEATURES: &[&str] = &["test", "--workspace", "--all-features"];

/// The libraries without features: no doctests, because pages show runtimes' sleepers, which are features.
const NO_FEATURES: &[&str] = &["test", "--lib", "--tests", "--no-default-features"];

/// Runs the suite. The last line that it prints is `N passed, N failed, N skipped`.
pub(crate) fn run(repo: &Repo) -> Result<Verdict> {
    let all = Cargo::new(repo).args(ALL_FEATURES);
    let none = Cargo::new(repo).args(NO_FEATURES).packages(&repo.published_names());
    let (mut sum, mut broken) = (Tally::default(), Vec::new());
    for (tally, problem) in [
        stream(all.args(["--no-fail-fast"]))?,
        examples::run(repo, ALL_FEATURES)?,
        stream(none.args(["--no-fail-fast"]))?,
    ] {
        sum += tally;
        broken.extend(problem);
    }

    println!();
    for problem in &broken {
        println!("{problem}");
    }
    println!("{sum}");
    Ok(if broken.is_empty() && sum.failed == 0 {
        Verdict::Passed(sum.to_string())
    } else {
        Verdict::Failed(sum.to_string())
    })
}

/// Runs a test command, shows what it prints as it comes, and adds up its closing lines. A command that fails
/// without a failed test, because something doesn't compile say, counts as one failure.
fn stream(cargo: Cargo) -> Result<(Tally, Option<String>)> {
    let (mut command, shown) = cargo.show();
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("{shown:?} can't start"))?;
    let mut sum = Tally::default();
    if let Some(output) = child.stdout.take() {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while output.read_until(b'\n', &mut line)? > 0 {
            std::io::stdout().write_all(&line)?;
            if let Some(tally) = Tally::of_line(&String::from_utf8_lossy(&line)) {
                sum += tally;
            }
            line.clear();
        }
    }
    let status = child.wait()?;
    if status.success() {
        return Ok((sum, None));
    }
    if sum.failed == 0 {
        sum += Tally::one(false);
    }
    Ok((sum, Some(format!("{shown}: {status}"))))
}
