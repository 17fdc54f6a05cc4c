//! [`Programs`]: the programs of `benches/`, built and run, and what they print, read.

use crate::bench::figures::{Call, Catalogue, Column, FutureSize, Nanos, Pace, Row, Spent, find};
use crate::bench::goals::{BARE, RECOURSE};
use crate::bench::spent::{Function, fold};
use crate::cargo::Cargo;
use crate::repo::{BENCHES as MANIFEST, Repo};
use crate::verdict::Verdict;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::str::FromStr;
use std::time::Instant;

/// The programs in one profile.
#[derive(Clone, Copy, Debug)]
pub(super) struct Programs<'a> {
    repo: &'a Repo,
    /// `bench` is the default release profile.
    profile: &'a str,
}

/// What `allocations` prints.
#[derive(Debug, Default)]
pub(super) struct Counted {
    pub(super) catalogue: Catalogue,
    pub(super) calls: Vec<Call>,
    pub(super) futures: Vec<FutureSize>,
    pub(super) memory: BTreeMap<String, i64>,
}

impl<'a> Programs<'a> {
    /// The programs in this profile of `benches/Cargo.toml`.
    pub(super) fn of(repo: &'a Repo, profile: &'a str) -> Self {
        Programs { repo, profile }
    }

    /// Builds some of them.
    pub(super) fn build(&self, names: &[&str]) -> Result<Verdict> {
        let names = names.iter().flat_map(|name| ["--bench", name]);
        self.cargo().args(["--no-run"]).args(names).run()
    }

    /// Counts allocations; the arguments select rows and columns.
    pub(super) fn allocations(&self, arguments: &[String]) -> Result<Counted> {
        let mut counted = Counted::default();
        for line in self.lines("allocations", arguments, None)? {
            let line = Line::of(&line);
            match line.kind {
                "case" => counted
                    .catalogue
                    .rows
                    .push(Row { name: line.text(0)?.to_owned(), title: line.text(1)?.to_owned() }),
                "column" => counted.catalogue.columns.push(Column {
                    name: line.text(0)?.to_owned(),
                    does: line.text(1)?.to_owned(),
                    does_not: line.text(2)?.to_owned(),
                }),
                "allocations" => counted.calls.push(Call {
                    case: line.text(0)?.to_owned(),
                    column: line.text(1)?.to_owned(),
                    allocations: line.number(2)?,
                    bytes: line.number(3)?,
                    ..Call::default()
                }),
                "beyond" => {
                    let call = at(&mut counted.calls, &line)?;
                    call.beyond = Some(line.number(2)?);
                }
                "future" => counted.futures.push(FutureSize {
                    operation: line.text(0)?.to_owned(),
                    run: line.number(1)?,
                    captured: line.number(2)?,
                }),
                "memory" => {
                    counted.memory.insert(line.text(0)?.to_owned(), line.number(1)?);
                }
                _ => {}
            }
        }
        Ok(counted)
    }

    /// Counts instructions, and notes them in the calls; where they are counted already, the fewer of both.
    pub(super) fn instructions(&self, arguments: &[String], calls: &mut [Call]) -> Result<()> {
        self.fewest("instructions", arguments, calls, |call| &mut call.instructions)
    }

    /// Counts stores on memory that other threads could reach, in the same way.
    pub(super) fn stores(&self, arguments: &[String], calls: &mut [Call]) -> Result<()> {
        self.fewest("stores", arguments, calls, |call| &mut call.stores)
    }

    /// Lets the program of this name count what its lines are named after.
    fn fewest(
        &self,
        name: &str,
        arguments: &[String],
        calls: &mut [Call],
        figure: fn(&mut Call) -> &mut Option<f64>,
    ) -> Result<()> {
        for line in self.lines(name, arguments, None)? {
            let line = Line::of(&line);
            if line.kind == name {
                let (figure, counted) = (figure(at(calls, &line)?), line.number::<f64>(2)?);
                *figure = Some(figure.map_or(counted, |before| before.min(counted)));
            }
        }
        Ok(())
    }

    /// Profiles calls by prepared handle: the functions of each row, in the order of the rows, beside what the bare
    /// operation takes among these calls.
    pub(super) fn functions(&self, rows: &[String], calls: &[Call]) -> Result<Vec<Spent>> {
        let ours = ["--functions".to_owned(), "--columns".to_owned(), format!("={RECOURSE}")];
        let arguments: Vec<String> = ours.into_iter().chain(rows.iter().cloned()).collect();
        let mut found: Vec<(String, Vec<Function>)> = Vec::new();
        for line in self.lines("instructions", &arguments, None)? {
            let line = Line::of(&line);
            if line.kind != "function" {
                continue;
            }
            let function = Function {
                name: line.text(2)?.to_owned(),
                object: line.text(3)?.to_owned(),
                instructions: line.number(4)?,
            };
            let case = line.text(0)?;
            match found.last_mut() {
                Some((last, functions)) if last == case => functions.push(function),
                _ => found.push((case.to_owned(), vec![function])),
            }
        }
        let fold = |(case, functions): (String, Vec<Function>)| {
            fold(&case, functions, find(calls, &case, BARE).and_then(|bare| bare.instructions))
        };
        Ok(found.into_iter().flat_map(fold).collect())
    }

    /// Measures nanoseconds, and notes them in the calls.
    pub(super) fn nanos(&self, arguments: &[String], calls: &mut [Call]) -> Result<()> {
        let home = self.repo.target_directory().join("criterion").join(self.profile);
        // What another run has left there would be read as rounds of this one.
        if home.exists() {
            fs::remove_dir_all(&home).with_context(|| format!("{} can't be emptied", home.display()))?;
        }
        self.lines("calls", arguments, Some(&home))?;
        for call in calls {
            call.nanos = Nanos::of_rounds(rounds(&home.join(&call.case).join(&call.column))?);
        }
        Ok(())
    }

    /// Lets several threads share a policy.
    pub(super) fn threads(&self, arguments: &[String]) -> Result<Vec<Pace>> {
        let mut paces = Vec::new();
        for line in self.lines("threads", arguments, None)? {
            let line = Line::of(&line);
            if line.kind == "threads" {
                paces.push(Pace {
                    case: line.text(0)?.to_owned(),
                    column: line.text(1)?.to_owned(),
                    threads: line.number(2)?,
                    nanos: line.number(3)?,
                    slower: line.number(4)?,
                    throughput: line.number(5)?,
                });
            }
        }
        Ok(paces)
    }

    fn cargo(&self) -> Cargo {
        Cargo::new(self.repo).args(["bench", "--manifest-path", MANIFEST, "--profile", self.profile])
    }

    /// What a program prints; says how long it took.
    fn lines(&self, name: &str, arguments: &[String], home: Option<&Path>) -> Result<Vec<String>> {
        let start = Instant::now();
        let mut cargo = self.cargo().args(["--bench", name, "--"]).args(arguments);
        if let Some(home) = home {
            cargo = cargo.env("CRITERION_HOME", home.to_string_lossy());
        }
        let text = cargo.read()?;
        println!("{name}, profile {}: {:.1} s", self.profile, start.elapsed().as_secs_f64());
        Ok(text.lines().map(str::to_owned).collect())
    }
}

/// The medians that criterion has found, one a round.
fn rounds(folder: &Path) -> Result<Vec<f64>> {
    let Ok(rounds) = fs::read_dir(folder) else {
        return Ok(Vec::new());
    };
    let mut medians = Vec::new();
    for round in rounds {
        let file = round?.path().join("new/estimates.json");
        if !file.exists() {
            continue;
        }
        let text = fs::read_to_string(&file).with_context(|| format!("{} can't be read", file.display()))?;
        let estimates: serde_json::Value = serde_json::from_str(&text)?;
        let median = estimates["median"]["point_estimate"].as_f64();
        // Picoseconds are more than enough.
        medians
            .push((median.with_context(|| format!("{} has no median", file.display()))? * 1e3).round() / 1e3);
    }
    Ok(medians)
}

/// The call that a line speaks of.
fn at<'c>(calls: &'c mut [Call], line: &Line<'_>) -> Result<&'c mut Call> {
    let (case, column) = (line.text(0)?, line.text(1)?);
    let found = calls.iter_mut().find(|call| call.case == case && call.column == column);
    found.with_context(|| format!("{case} {column} has no line of its own before"))
}

/// A line of tab-separated fields, the first of which says what it is.
struct Line<'a> {
    kind: &'a str,
    fields: Vec<&'a str>,
}

impl<'a> Line<'a> {
    fn of(line: &'a str) -> Self {
        let mut fields = line.split('\t');
        Line { kind: fields.next().unwrap_or_default(), fields: fields.collect() }
    }

    fn text(&self, at: usize) -> Result<&'a str> {
        match self.fields.get(at) {
            Some(field) => Ok(field),
            None => bail!("a line of {:?} has no field {at}", self.kind),
        }
    }

    fn number<T: FromStr>(&self, at: usize) -> Result<T> {
        let text = self.text(at)?;
        text.parse().ok().with_context(|| format!("{text:?} in a line of {:?} is no number", self.kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_a_kind_and_fields() {
        let line = Line::of("allocations\tplain\tbare\t0\t1.5");
        assert_eq!((line.kind, line.text(1).unwrap()), ("allocations", "bare"));
        assert_eq!((line.number::<u64>(2).unwrap(), line.number::<f64>(3).unwrap()), (0, 1.5));
        assert!(line.number::<u64>(0).is_err());
        assert!(line.text(4).is_err());
    }

    #[test]
    fn a_line_without_its_call_is_an_error() {
        let mut calls = [Call { case: "plain".to_owned(), column: "bare".to_owned(), ..Call::default() }];
        assert!(at(&mut calls, &Line::of("instructions\tplain\tbare\t10")).is_ok());
        assert!(at(&mut calls, &Line::of("instructions\tplain\ttower\t10")).is_err());
    }
}
