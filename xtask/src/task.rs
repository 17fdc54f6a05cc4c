//! The list of tasks, the command line, and exit codes: 0 fine, 1 a task failed, 2 a wrong command line.

use crate::repo::Repo;
use crate::verdict::Verdict;
use crate::{api, bench, ci, fuzz, graph, model, reference, test, tidy};
use anyhow::{Result, bail};
use std::process::ExitCode;

/// One task.
struct Task {
    name: &'static str,
    /// What may stand behind the name.
    arguments: Arguments,
    /// What it does, in a line.
    line: &'static str,
    run: fn(&Repo, &[String]) -> Result<Verdict>,
}

/// What a task takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Arguments {
    None,
    /// `--check`, or nothing.
    Check,
    /// `--complete`, or nothing.
    Complete,
    /// `--check`, `--render`, or parts of names.
    Bench,
    /// `--seconds N`, and names of targets.
    Fuzz,
}

impl Arguments {
    fn usage(self) -> &'static str {
        match self {
            Arguments::None => "",
            Arguments::Check => " [--check]",
            Arguments::Complete => " [--complete]",
            Arguments::Bench => " [--check | --render | PART...]",
            Arguments::Fuzz => " [--seconds N] [TARGET...]",
        }
    }

    fn allows(self, given: &[String]) -> bool {
        match self {
            Arguments::None => given.is_empty(),
            Arguments::Check => given.is_empty() || given == ["--check"],
            Arguments::Complete => given.is_empty() || given == ["--complete"],
            Arguments::Bench => {
                given == ["--check"]
                    || given == ["--render"]
                    || !given.iter().any(|part| part.starts_with('-'))
            }
            Arguments::Fuzz => fuzz::allows(given),
        }
    }
}

const TASKS: &[Task] = &[
    Task {
        name: "test",
        arguments: Arguments::None,
        line: "run every test, doctest and example",
        run: |repo, _| test::run(repo),
    },
    Task {
        name: "ci",
        arguments: Arguments::Complete,
        line: "run all that a change must pass: format, clippy, docs, tidy, api, reference, MSRV, bench, fuzz, model, test; --complete fails if a step can't be made",
        run: |repo, given| ci::run(repo, !given.is_empty()),
    },
    Task {
        name: "reference",
        arguments: Arguments::Check,
        line: "write docs/reference from the code; --check only compares",
        run: |repo, given| reference::run(repo, !given.is_empty()),
    },
    Task {
        name: "tidy",
        arguments: Arguments::None,
        line: "check the house rules that a program can check",
        run: |repo, _| tidy::run(repo),
    },
    Task {
        name: "api",
        arguments: Arguments::Check,
        line: "write each library's public API to docs/api; --check only compares",
        run: |repo, given| api::run(repo, !given.is_empty()),
    },
    Task {
        name: "bench",
        arguments: Arguments::Bench,
        line: "measure calls and write docs/reference/benchmarks.md; --check compares, PARTs of names show rows",
        run: bench::run,
    },
    Task {
        name: "fuzz",
        arguments: Arguments::Fuzz,
        line: "try each fuzz target with inputs that a fuzzer makes up; needs cargo-fuzz",
        run: fuzz::run,
    },
    Task {
        name: "model",
        arguments: Arguments::None,
        line: "try every order of a few threads' steps where they share something, with loom",
        run: |repo, _| model::run(repo),
    },
    Task {
        name: "graph",
        arguments: Arguments::None,
        line: "print who depends on whom, by floors, as Mermaid",
        run: |repo, _| graph::run(repo),
    },
];

/// Runs what the command line asks for.
pub(crate) fn main(arguments: Vec<String>) -> ExitCode {
    let Some((name, given)) = arguments.split_first() else {
        print!("{}", list());
        return ExitCode::SUCCESS;
    };
    if ["help", "--help", "-h"].contains(&name.as_str()) {
        print!("{}", list());
        return ExitCode::SUCCESS;
    }
    let task = match choose(name, given) {
        Ok(task) => task,
        Err(error) => {
            eprint!("error: {error}\n\n{}", list());
            return ExitCode::from(2);
        }
    };
    match Repo::open().and_then(|repo| (task.run)(&repo, given)) {
        Ok(Verdict::Passed(_)) => ExitCode::SUCCESS,
        Ok(Verdict::NotMade(note)) => {
            eprintln!("{name}: NOT MADE: {note}");
            ExitCode::SUCCESS
        }
        Ok(Verdict::Failed(note)) => {
            eprintln!("{name}: FAILED: {note}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{name}: error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn choose(name: &str, given: &[String]) -> Result<&'static Task> {
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        bail!("there is no task {name:?}");
    };
    if !task.arguments.allows(given) {
        bail!("{name} doesn't take {given:?}; write: cargo xtask {name}{}", task.arguments.usage());
    }
    Ok(task)
}

fn list() -> String {
    let mut text = String::from("cargo xtask TASK\n\n");
    for task in TASKS {
        let usage = format!("{}{}", task.name, task.arguments.usage());
        text += &format!("  {usage:<38}{}\n", task.line);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_task_has_a_line_in_the_list() {
        for task in TASKS {
            assert!(list().contains(task.line), "{}", task.name);
        }
    }

    #[test]
    fn an_unknown_task_and_an_unknown_argument_are_errors_that_name_it() {
        let error = |name, given: &[&str]| {
            let given: Vec<String> = given.iter().map(ToString::to_string).collect();
            choose(name, &given).err().map(|error| error.to_string())
        };
        assert_eq!(error("tset", &[]).as_deref(), Some("there is no task \"tset\""));
        assert!(error("reference", &["--chekc"]).is_some_and(|text| text.contains("--chekc")));
        assert!(error("tidy", &["--check"]).is_some());
        assert_eq!(error("reference", &["--check"]), None);
        for given in [&["--check"][..], &["--render"], &["hedge", "plain"], &[]] {
            assert_eq!(error("bench", given), None);
        }
        assert_eq!(error("ci", &["--complete"]), None);
        assert!(error("ci", &["--check"]).is_some());
        assert!(error("bench", &["--check", "hedge"]).is_some());
        assert!(error("bench", &["--chekc"]).is_some_and(|text| text.contains("--render")));
    }
}
