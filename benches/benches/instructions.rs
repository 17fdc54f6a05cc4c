//! Instructions a call, counted by valgrind's callgrind: the program runs itself under it.
//!
//! Each case runs with two numbers of calls, and the difference is divided by theirs: what it takes to start the
//! program and to build the policy cancels out.

use recourse_benches::{CASES, COLUMNS, Case, Selection, column};
use std::env::{args, current_exe};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

const FEW: u64 = 1_000;
const MANY: u64 = 6_000;
/// Says that this process is the one under callgrind: case, column and number of calls follow.
const INSIDE: &str = "--count";

fn main() {
    let arguments: Vec<String> = args().skip(1).collect();
    if let [INSIDE, case, column, calls] = arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice()
    {
        return run(case, column, calls);
    }
    let selection = Selection::of(arguments.into_iter());
    let mut wanted = Vec::new();
    for case in CASES.into_iter().filter(|case| selection.has_case(*case)) {
        for column in COLUMNS.iter().filter(|column| selection.has_column(column.name)) {
            if column.prepare(case).is_some() {
                wanted.push((case, column.name));
            }
        }
    }
    for ((case, column), count) in wanted.iter().zip(count_all(&wanted)) {
        println!("instructions\t{}\t{column}\t{count:.1}", case.name);
    }
}

/// Makes the calls.
fn run(case: &str, name: &str, calls: &str) {
    let case = Case::named(case).expect("a case of the list");
    let column = column(name).expect("a column of the list");
    let mut runner = column.prepare(case).expect("a case that the contestant can do");
    runner.run(calls.parse().expect("a number of calls"));
}

/// One after the other on each core: other processes don't change what is counted.
fn count_all(wanted: &[(Case, &str)]) -> Vec<f64> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let mut counted: Vec<(usize, f64)> = thread::scope(|scope| {
        let count_some = || {
            let mut counted = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some((case, column)) = wanted.get(at) else {
                    return counted;
                };
                let many = count(case.name, column, MANY);
                let few = count(case.name, column, FEW);
                #[allow(clippy::cast_precision_loss, reason = "a process runs fewer instructions than that")]
                counted.push((at, (many - few) as f64 / (MANY - FEW) as f64));
            }
        };
        let all: Vec<_> = (0..cores).map(|_| scope.spawn(count_some)).collect();
        all.into_iter().flat_map(|thread| thread.join().expect("callgrind counts")).collect()
    });
    counted.sort_unstable_by_key(|(at, _)| *at);
    counted.into_iter().map(|(_, count)| count).collect()
}

/// Instructions of a whole process that makes so many calls.
fn count(case: &str, column: &str, calls: u64) -> u64 {
    let program = current_exe().expect("a program knows where it is");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([INSIDE, case, column, &calls.to_string()])
        .output()
        .expect("valgrind is on the path");
    let report = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{case} {column} failed under callgrind:\n{report}");
    let collected = report.lines().find_map(|line| line.split_once("Collected : "));
    let (_, count) = collected.expect("callgrind says what it has collected");
    count.trim().parse().expect("callgrind counts in digits")
}
