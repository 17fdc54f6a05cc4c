//! What the programs have in common that run themselves under valgrind.

use crate::{COLUMNS, Case, Runner, Selection, column};
use std::env::{args, current_exe};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Says that this process is the one under valgrind: what it has to run follows.
const INSIDE: &str = "--count";

/// What this process has to run, if it is the one under valgrind.
pub fn inside() -> Option<Vec<String>> {
    let mut arguments = args().skip(1);
    (arguments.next()? == INSIDE).then(|| arguments.collect())
}

/// This program under one of valgrind's tools, with options of the tool's and what it has to run.
///
/// # Panics
///
/// If the program doesn't know where it is.
pub fn myself(tool: &str, options: &[&str], what: &[&str]) -> Command {
    let mut command = Command::new("valgrind");
    command.arg(format!("--tool={tool}")).args(options);
    command.arg(current_exe().expect("a program knows where it is")).arg(INSIDE).args(what);
    command
}

/// The runner of a case and a column of these names.
///
/// # Panics
///
/// If there is none.
pub fn runner(case: &str, name: &str) -> Runner {
    let case = Case::named(case).expect("a case of the list");
    let column = column(name).expect("a column of the list");
    column.prepare(case).expect("a case that the contestant can do")
}

/// The names of the cases that are asked for, each with those of the columns that can do it.
pub fn wanted(
    cases: impl IntoIterator<Item = Case>,
    selection: &Selection,
) -> Vec<(&'static str, &'static str)> {
    let cases = cases.into_iter().filter(|case| selection.has_case(*case));
    let cells = cases.flat_map(|case| {
        let columns = COLUMNS.iter().filter(|column| selection.has_column(column.name));
        columns
            .filter(move |column| column.prepare(case).is_some())
            .map(move |column| (case.name, column.name))
    });
    cells.collect()
}

/// One after the other on each core: other processes don't change what is counted.
///
/// # Panics
///
/// If one can't be counted.
pub fn of_all<W: Sync, T: Send>(wanted: &[W], counted: impl Fn(&W) -> T + Sync) -> Vec<T> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let mut found: Vec<(usize, T)> = thread::scope(|scope| {
        let count_some = || {
            let mut found = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(one) = wanted.get(at) else {
                    return found;
                };
                found.push((at, counted(one)));
            }
        };
        let all: Vec<_> = (0..cores).map(|_| scope.spawn(count_some)).collect();
        all.into_iter().flat_map(|thread| thread.join().expect("valgrind counts")).collect()
    });
    found.sort_unstable_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, found)| found).collect()
}

/// What one call takes: so many more calls take as much more as many and few differ by.
#[allow(clippy::cast_precision_loss, reason = "a process does fewer things than that")]
pub fn a_call(many: u64, few: u64, more_calls: u64) -> f64 {
    (many as f64 - few as f64) / more_calls as f64
}
