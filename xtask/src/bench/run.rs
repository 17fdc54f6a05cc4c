//! The task `bench`: measure everything and write the page, show some rows, check, or render.

use crate::bench::check::compare;
use crate::bench::figures::{BASELINE, Call, Catalogue, PAGE, Report};
use crate::bench::goals::{RECOURSE, is_ours, unknown};
use crate::bench::machine;
use crate::bench::page::page;
use crate::bench::programs::{Counted, Programs};
use crate::bench::{call_tables, spent, tables, weight};
use crate::diff;
use crate::repo::{BENCHES as MANIFEST, Repo};
use crate::verdict::Verdict;
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::process::{Command, Stdio};
use std::time::Instant;

/// The part of the page that is written by hand.
const NOTES: &str = "benches/notes.md";
const DEFAULT: &str = "bench";
/// The other profiles of the page, and the rows that are measured there.
const PROFILES: [&str; 2] = ["one-unit", "fat-lto"];
const PROFILE_ROWS: [&str; 3] = ["=plain", "=three-fail", "=all"];
/// How often a row that seems to have become dearer is counted again; the fewest instructions and stores count.
const RECOUNTS: u32 = 2;
const NO_VALGRIND: &str = "there is no `valgrind` on the path, so no instructions and stores were counted";

/// Does what the arguments ask for.
pub(crate) fn run(repo: &Repo, arguments: &[String]) -> Result<Verdict> {
    if !repo.root.join(MANIFEST).exists() {
        return Ok(Verdict::Failed(format!("{MANIFEST} is not there")));
    }
    match arguments {
        [] => measure(repo),
        [one] if one == "--check" => check(repo),
        [one] if one == "--render" => render(repo),
        parts => show(repo, parts),
    }
}

/// Measures everything, and writes the page and the figures behind it.
fn measure(repo: &Repo) -> Result<Verdict> {
    if !has_valgrind() {
        return Ok(Verdict::Failed(format!("{NO_VALGRIND}; the page would lack its headline")));
    }
    let programs = Programs::of(repo, DEFAULT);
    build(programs, &["allocations", "instructions", "stores", "calls", "threads"])?;
    for profile in PROFILES {
        build(Programs::of(repo, profile), &["allocations", "instructions", "calls"])?;
    }
    let start = Instant::now();
    let mut report = Report { machine: machine::read(repo)?, ..Report::default() };
    let counted = programs.allocations(&[])?;
    ensure_known(&counted.catalogue)?;
    (report.calls, report.futures, report.memory) = (counted.calls, counted.futures, counted.memory);
    programs.instructions(&[], &mut report.calls)?;
    programs.stores(&[], &mut report.calls)?;
    programs.nanos(&[], &mut report.calls)?;
    let missed: Vec<String> = spent::missed(&report.calls).iter().map(|row| format!("={row}")).collect();
    // No names would be all of them.
    if !missed.is_empty() {
        report.spent = programs.functions(&missed, &report.calls)?;
    }
    report.threads = programs.threads(&[])?;
    for profile in PROFILES {
        let programs = Programs::of(repo, profile);
        let rows = PROFILE_ROWS.map(str::to_owned);
        let mut calls = programs.allocations(&rows)?.calls;
        programs.instructions(&rows, &mut calls)?;
        programs.nanos(&rows, &mut calls)?;
        report.profiles.insert(profile.to_owned(), calls);
    }
    report.weight = weight::weigh(repo, &report.machine.host)?;
    report.machine.seconds = start.elapsed().as_secs_f64().round();
    diff::bring_up_to_date(&repo.root, BASELINE, &report.to_text()?, false)?;
    let text = text(repo, &report, &counted.catalogue)?;
    diff::bring_up_to_date(&repo.root, PAGE, &text, false)?;
    println!("{}", call_tables::goals(&report.calls));
    println!("all of it took {:.0} s, once built", report.machine.seconds);
    Ok(Verdict::Passed(String::new()))
}

/// Measures the rows whose names have one of these parts, and prints them; changes no file.
fn show(repo: &Repo, parts: &[String]) -> Result<Verdict> {
    let programs = Programs::of(repo, DEFAULT);
    build(programs, &["allocations", "instructions", "stores", "calls", "threads"])?;
    let mut calls = programs.allocations(parts)?.calls;
    if calls.is_empty() {
        return Ok(Verdict::Failed(format!("no row's name has a part of {parts:?}")));
    }
    let counts = has_valgrind();
    if counts {
        programs.instructions(parts, &mut calls)?;
        programs.stores(parts, &mut calls)?;
    }
    programs.nanos(parts, &mut calls)?;
    let report = Report { threads: programs.threads(parts)?, ..Report::default() };
    let spent = if counts { programs.functions(parts, &calls)? } else { Vec::new() };
    println!("\n{}", call_tables::everything(&calls));
    if !spent.is_empty() {
        println!("{}", spent::tables(&spent, &calls));
    }
    if !report.threads.is_empty() {
        println!("{}", tables::threads(&report));
    }
    if calls.iter().any(|call| call.stores.is_some()) {
        println!("{}", call_tables::stores(&calls));
    }
    print!("{}", call_tables::goals(&calls));
    Ok(if counts { Verdict::Passed(String::new()) } else { Verdict::NotMade(NO_VALGRIND.to_owned()) })
}

/// Compares instructions, allocations and stores of recourse with the committed ones, and the page with what they render to.
fn check(repo: &Repo) -> Result<Verdict> {
    let committed = committed(repo)?;
    let programs = Programs::of(repo, DEFAULT);
    build(programs, &["allocations", "instructions", "stores"])?;
    let ours = ["--columns".to_owned(), RECOURSE.to_owned()];
    let Counted { catalogue, calls: mut now, .. } = programs.allocations(&ours)?;
    ensure_known(&catalogue)?;
    let not_made = why_not_counted(&committed)?;
    let before: Vec<Call> = committed.calls.iter().filter(|call| is_ours(&call.column)).cloned().collect();
    if not_made.is_none() {
        programs.instructions(&ours, &mut now)?;
        programs.stores(&ours, &mut now)?;
        // Where latencies steer a call, they depend on what else the machine does.
        for _ in 0..RECOUNTS {
            let dearer = compare(&before, &now).dearer;
            if dearer.is_empty() {
                break;
            }
            let rows = dearer.into_iter().map(|row| format!("={row}"));
            let arguments: Vec<String> = ours.iter().cloned().chain(rows).collect();
            programs.instructions(&arguments, &mut now)?;
            programs.stores(&arguments, &mut now)?;
        }
    }
    let compared = compare(&before, &now);
    println!("\n{}", compared.table);
    for line in compared.unmatched {
        println!("{line}; `cargo xtask bench` measures it anew");
    }
    for line in &compared.worse {
        println!("worse: {line}");
    }
    let text = text(repo, &committed, &catalogue)?;
    let is_current = diff::bring_up_to_date(&repo.root, PAGE, &text, true)?;
    Ok(if !compared.worse.is_empty() {
        Verdict::Failed(format!("{} figures of recourse have become worse", compared.worse.len()))
    } else if !is_current {
        Verdict::Failed(format!(
            "{PAGE} is not what the figures and notes say; run: cargo xtask bench --render"
        ))
    } else if let Some(why) = not_made {
        Verdict::NotMade(format!("{why}; allocations are no more than before"))
    } else {
        Verdict::Passed(format!("{} rows of recourse", now.len()))
    })
}

/// Why instructions of now say nothing beside the committed ones.
fn why_not_counted(committed: &Report) -> Result<Option<String>> {
    if !has_valgrind() {
        return Ok(Some(NO_VALGRIND.to_owned()));
    }
    let (compiler, host) = machine::compiler()?;
    let (made_by, made_for) = (&committed.machine.compiler, &committed.machine.host);
    Ok(if (&compiler, &host) == (made_by, made_for) {
        None
    } else {
        Some(format!(
            "the committed instructions and stores were counted with {made_by} for {made_for}, and this is {compiler} for {host}, so \
             they were not compared"
        ))
    })
}

/// Writes the page again from the committed figures and the notes of now.
fn render(repo: &Repo) -> Result<Verdict> {
    let committed = committed(repo)?;
    let programs = Programs::of(repo, DEFAULT);
    build(programs, &["allocations"])?;
    // The lists of rows and columns are printed whatever is selected.
    let catalogue = programs.allocations(&["=".to_owned()])?.catalogue;
    diff::bring_up_to_date(&repo.root, PAGE, &text(repo, &committed, &catalogue)?, false)?;
    Ok(Verdict::Passed(String::new()))
}

fn build(programs: Programs<'_>, names: &[&str]) -> Result<()> {
    let verdict = programs.build(names)?;
    ensure!(!verdict.is_failure(), "the benches don't build: {}", verdict.note());
    Ok(())
}

fn committed(repo: &Repo) -> Result<Report> {
    let path = repo.root.join(BASELINE);
    let Ok(text) = fs::read_to_string(path) else {
        bail!("{BASELINE} is not there; `cargo xtask bench` writes it");
    };
    Report::of_text(&text).context(BASELINE)
}

/// The goals name rows and columns that there are.
fn ensure_known(catalogue: &Catalogue) -> Result<()> {
    let unknown = unknown(catalogue);
    ensure!(unknown.is_empty(), "xtask/src/bench/goals.rs names what the benches don't have: {unknown:?}");
    Ok(())
}

/// The page, with the notes of now.
fn text(repo: &Repo, report: &Report, catalogue: &Catalogue) -> Result<String> {
    let notes = fs::read_to_string(repo.root.join(NOTES)).context(NOTES)?;
    Ok(page(report, catalogue, &notes.replace("\r\n", "\n")))
}

fn has_valgrind() -> bool {
    let version = Command::new("valgrind").arg("--version").stdout(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}
