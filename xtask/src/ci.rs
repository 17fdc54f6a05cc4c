//! `ci`: all that a change must pass, step by step, each timed; a table in the end.

use crate::cargo::Cargo;
use crate::repo::{BENCHES, FUZZ, Repo};
use crate::verdict::Verdict;
use crate::{api, bench, fuzz, model, msrv, reference, test, tidy};
use anyhow::Result;
use std::time::{Duration, Instant};

type Step = (&'static str, fn(&Repo) -> Result<Verdict>);

/// The steps, quick ones first and the tests last, so that their closing lines stand near the end.
const STEPS: &[Step] = &[
    ("format", |repo| Cargo::new(repo).args(["fmt", "--all", "--check"]).run()),
    ("format, benches", |repo| benches(repo, "fmt", &["--all", "--check"])),
    ("format, fuzz", |repo| targets(repo, "fmt", &["--all", "--check"])),
    ("clippy, all features", |repo| clippy(repo, &["--workspace", "--all-features"])),
    ("clippy, no features", |repo| clippy_without_features(repo)),
    ("clippy, benches", |repo| {
        benches(repo, "clippy", &["--workspace", "--all-targets", "--", "-D", "warnings"])
    }),
    ("clippy, fuzz", |repo| targets(repo, "clippy", &["--all-targets", "--", "-D", "warnings"])),
    ("docs", |repo| {
        Cargo::new(repo)
            .args(["doc", "--no-deps", "--workspace", "--all-features"])
            .env("RUSTDOCFLAGS", "-D warnings")
            .run()
    }),
    ("tidy", tidy::run),
    ("api", |repo| api::run(repo, true)),
    ("reference", |repo| reference::run(repo, true)),
    ("MSRV", msrv::run),
    ("test, benches", |repo| benches(repo, "test", &["--release"])),
    ("test, fuzz", |repo| targets(repo, "test", &[])),
    ("fuzz", |repo| fuzz::run(repo, &[])),
    ("bench", |repo| bench::run(repo, &["--check".to_owned()])),
    ("model", model::run),
    ("quickstart", |repo| Cargo::new(repo).args(["run", "-p", "recourse", "--example", "quickstart"]).run()),
    ("test", test::run),
];

/// A step that has run.
struct Done {
    name: &'static str,
    verdict: Verdict,
    took: Duration,
}

/// Runs every step, also after one that failed. Where everything is there that steps need, it is to be `complete`: a step
/// that was not made is a failure.
pub(crate) fn run(repo: &Repo, complete: bool) -> Result<Verdict> {
    let mut done = Vec::new();
    for (name, step) in STEPS {
        println!("\n== {name}");
        let start = Instant::now();
        let verdict = step(repo).unwrap_or_else(|error| {
            println!("error: {error:#}");
            Verdict::Failed(format!("{error:#}").lines().next().unwrap_or_default().to_owned())
        });
        let took = start.elapsed();
        if verdict != Verdict::Passed(String::new()) {
            println!("{name}: {verdict}: {}", verdict.note());
        }
        done.push(Done { name, verdict, took });
    }
    print!("\n{}", table(&done));
    Ok(verdict(&done, complete))
}

fn verdict(done: &[Done], complete: bool) -> Verdict {
    let is_wanting = |verdict: &Verdict| complete && matches!(verdict, Verdict::NotMade(_));
    let wrong = done.iter().filter(|step| step.verdict.is_failure() || is_wanting(&step.verdict));
    let wrong: Vec<String> = wrong
        .map(|step| match step.verdict {
            Verdict::NotMade(_) => format!("{} was not made", step.name),
            _ => step.name.to_owned(),
        })
        .collect();
    if wrong.is_empty() { Verdict::Passed(String::new()) } else { Verdict::Failed(wrong.join("; ")) }
}

fn clippy(repo: &Repo, selection: &[&str]) -> Result<Verdict> {
    Cargo::new(repo).args(["clippy", "--all-targets"]).args(selection).args(["--", "-D", "warnings"]).run()
}

/// The libraries alone: this program would switch features of core on.
fn clippy_without_features(repo: &Repo) -> Result<Verdict> {
    let mut selection = vec!["--no-default-features"];
    let names = repo.published_names();
    selection.extend(names.iter().flat_map(|name| ["--package", name.as_str()]));
    clippy(repo, &selection)
}

/// A command in the benches' own workspace.
fn benches(repo: &Repo, command: &str, arguments: &[&str]) -> Result<Verdict> {
    Cargo::new(repo).args([command, "--manifest-path", BENCHES]).args(arguments).run()
}

/// A command in the fuzz targets' own workspace.
fn targets(repo: &Repo, command: &str, arguments: &[&str]) -> Result<Verdict> {
    let cargo = Cargo::new(repo).args([command, "--manifest-path", FUZZ]).args(arguments);
    cargo.own_target(repo, "fuzz").run()
}

fn table(done: &[Done]) -> String {
    let mut text = format!("{:<22}{:<10}{:>9}\n", "step", "result", "time");
    for Done { name, verdict, took } in done {
        let row = format!("{name:<22}{verdict:<10}{:>7.1} s  {}", took.as_secs_f64(), verdict.note());
        text += row.trim_end();
        text.push('\n');
    }
    let total: Duration = done.iter().map(|step| step.took).sum();
    text + &format!("{:<32}{:>7.1} s\n", "all", total.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &'static str, verdict: Verdict) -> Done {
        Done { name, verdict, took: Duration::from_millis(1500) }
    }

    #[test]
    fn what_was_not_made_is_a_failure_where_all_is_to_be_made() {
        let passed = || step("format", Verdict::Passed(String::new()));
        let not_made = || step("fuzz", Verdict::NotMade("no cargo-fuzz".to_owned()));
        assert_eq!(verdict(&[passed(), not_made()], false), Verdict::Passed(String::new()));
        assert_eq!(verdict(&[passed()], true), Verdict::Passed(String::new()));
        let failed = step("test", Verdict::Failed("1 failed".to_owned()));
        let both = Verdict::Failed("fuzz was not made; test".to_owned());
        assert_eq!(verdict(&[passed(), not_made(), failed], true), both);
    }

    #[test]
    fn the_table_has_a_row_a_step_and_shows_what_was_not_made() {
        let text = table(&[
            step("format", Verdict::Passed(String::new())),
            step("MSRV", Verdict::NotMade("no rustup".to_owned())),
        ]);
        assert_eq!(
            text,
            "step                  result         time\n\
             format                passed        1.5 s\n\
             MSRV                  NOT MADE      1.5 s  no rustup\n\
             all                                 3.0 s\n"
        );
    }
}
