//! The manual's pages print what they say: each program that a page follows with "It prints:" and a block of text
//! stands here as a file of its own, runs, and is compared with its page, program and output both.
//!
//! Where times of the real clock are in the output, the page says that they differ, and nothing is compared. The pages
//! lie outside the package, so these tests run in a checkout of the project.
#![allow(clippy::unwrap_used, reason = "a test may")]

use recourse::StopReason;
use recourse::circuit::{FailureRatio, SlowCalls};
use std::cell::RefCell;
use std::fmt;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

thread_local! {
    static PRINTED: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Stands before the programs, so that it is this one that they call.
macro_rules! println {
    ($($text:tt)*) => { $crate::keep(format_args!($($text)*)) };
}

mod budgets;
mod circuits;
mod classifiers;
mod deadlines;
mod errors;
mod expectations;
mod explanations;
mod hedging;
mod keys;
#[cfg(feature = "serde")]
mod policy_files;
mod policy_problems;
mod timelines;

fn keep(line: fmt::Arguments<'_>) {
    PRINTED.with_borrow_mut(|printed| *printed += &format!("{line}\n"));
}

/// Runs a program and compares it and its output with its page.
fn it_prints(page: &str, file: &str, main: fn()) {
    main();
    compare(page, file, "It prints:", &PRINTED.take());
}

/// The same for a program that is there to panic.
fn it_panics(page: &str, file: &str, main: fn()) {
    let panic = catch_unwind(main).unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    compare(page, file, "It panics with:", &format!("{message}\n"));
}

#[track_caller]
fn compare(page: &str, file: &str, says: &str, output: &str) {
    let program = program(&file_of_the_project(file));
    let text = read(page);
    let shown = programs(&text).find(|shown| shown.program == program);
    let shown = shown.unwrap_or_else(|| panic!("{page} doesn't show this program of {file}:\n\n{program}"));
    assert_eq!(shown.says, says, "what {page} says behind the program of {file}");
    let (says, prints) = (shown.output.trim_end(), output.trim_end());
    assert!(says == prints, "{page} shows:\n\n{says}\n\nand the program prints:\n\n{prints}");
}

/// A program of a page, with the line behind it and the block of text behind that.
struct Shown<'p> {
    program: &'p str,
    says: &'p str,
    output: &'p str,
}

fn programs(page: &str) -> impl Iterator<Item = Shown<'_>> {
    page.split("\n```rust").skip(1).filter_map(|rest| {
        let (program, behind) = rest.split_once('\n')?.1.split_once("```\n")?;
        let (says, behind) = behind.trim_start().split_once("\n\n```text\n")?;
        Some(Shown { program, says, output: behind.split_once("```\n")?.0 })
    })
}

/// What stands in a file between its first comment and its test.
fn program(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    let (_, program) = text.split_once("\n\n").unwrap();
    program.split_once("\n#[test]").unwrap().0.to_owned()
}

fn file_of_the_project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn read(page: &str) -> String {
    std::fs::read_to_string(file_of_the_project(page)).unwrap()
}

/// Every page of the manual, as a path from the project's root.
fn pages() -> Vec<String> {
    let mut pages = vec!["README.md".to_owned()];
    let mut folders = vec!["docs".to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(file_of_the_project(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{folder}/{}", entry.file_name().into_string().unwrap());
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(path),
                false if path.ends_with(".md") => pages.push(path),
                false => {}
            }
        }
    }
    pages
}

#[test]
fn every_program_whose_output_is_shown_is_compared() {
    let here = file_of_the_project("crates/recourse/tests/pages_print_what_they_say");
    let files: Vec<String> = std::fs::read_dir(here)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.ends_with("main.rs"))
        .map(|path| program(&path))
        .collect();
    let mut shown = 0;
    for page in pages() {
        for program in
            programs(&read(&page)).filter(|it| it.says == "It prints:" || it.says == "It panics with:")
        {
            assert!(
                files.iter().any(|file| file == program.program),
                "{page}: no file for\n\n{}",
                program.program
            );
            shown += 1;
        }
    }
    assert_eq!(shown, files.len(), "files of programs, each shown once");
}

#[test]
fn every_page_with_a_rust_block_is_a_doctest() {
    let doctests = read("crates/recourse/src/doctests.rs");
    for page in pages().iter().filter(|page| read(page).contains("\n```rust")) {
        assert!(
            doctests.contains(&format!("include_str!(\"../../../{page}\")")),
            "{page} is not in doctests.rs"
        );
    }
}

/// The part of a page below a heading, down to the next one.
#[track_caller]
fn part(page: &str, heading: &str) -> String {
    let text = read(page);
    let (_, below) = text.split_once(&format!("\n{heading}\n")).expect("a heading of the page");
    below.split("\n#").next().unwrap_or(below).to_owned()
}

#[test]
fn the_page_of_timelines_says_of_every_stop_reason_what_to_look_at() {
    let rows = part("docs/concepts/timelines.md", "### Why a call ended");
    for stop in StopReason::ALL {
        let code = match stop {
            StopReason::PanicIn(_) => "panic_in_<component>",
            stop => stop.as_str(),
        };
        assert!(rows.contains(&format!("`{code}`")), "{code} has no row");
    }
}

#[test]
fn the_page_of_circuits_allows_the_ratios_that_are_allowed() {
    let rows = part("docs/concepts/circuits.md", "## How to use it");
    let allowed = [
        ("ratio(r)", FailureRatio::over_attempts(10).ratio(0.0).build()),
        ("slow_ratio(r)", SlowCalls::longer_than(std::time::Duration::from_secs(1)).slow_ratio(0.0).build()),
    ];
    for (option, built) in allowed {
        let allowed = built.unwrap_err().allowed;
        let row = rows.lines().find(|row| row.starts_with(&format!("| `{option}`"))).unwrap();
        assert!(row.ends_with(&format!("| {allowed} |")), "{row} and not {allowed}");
    }
}

#[test]
fn the_guide_says_how_many_calls_a_soak_makes() {
    let soak = read("crates/recourse/tests/soak/main.rs");
    let guide = read("docs/guide/testing.md");
    assert!(soak.contains("wanted.unwrap_or(30_000)") && guide.contains("makes 30,000 of"));
    let command = "RECOURSE_SOAK_CALLS=1000000 cargo test -p recourse --release --all-features --test soak -- --nocapture";
    assert!(soak.contains(command) && guide.contains(&format!("\n{command}\n")));
}
