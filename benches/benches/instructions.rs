//! Instructions a call, counted by valgrind's callgrind: the program runs itself under it.
//!
//! Each case runs with two numbers of calls, and the difference is divided by theirs: what it takes to start the
//! program and to build the policy cancels out. With `--functions` the same is done for each function.

use recourse_benches::callgrind::{READABLE, own_costs};
use recourse_benches::{CASES, COLUMNS, Case, Selection, column};
use std::collections::BTreeMap;
use std::env::{args, current_exe};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, process, thread};

const FEW: u64 = 1_000;
const MANY: u64 = 6_000;
/// Says that this process is the one under callgrind: case, column and number of calls follow.
const INSIDE: &str = "--count";
/// Asks for the instructions of each function.
const FUNCTIONS: &str = "--functions";

fn main() {
    let arguments: Vec<String> = args().skip(1).collect();
    if let [INSIDE, case, column, calls] = arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice()
    {
        return run(case, column, calls);
    }
    let by_function = arguments.iter().any(|argument| argument == FUNCTIONS);
    let selection = Selection::of(arguments.into_iter());
    let mut wanted = Vec::new();
    for case in CASES.into_iter().filter(|case| selection.has_case(*case)) {
        for column in COLUMNS.iter().filter(|column| selection.has_column(column.name)) {
            if column.prepare(case).is_some() {
                wanted.push((case.name, column.name));
            }
        }
    }
    if by_function {
        for ((case, column), functions) in wanted.iter().zip(of_all(&wanted, functions)) {
            for (name, object, count) in functions {
                println!("function\t{case}\t{column}\t{name}\t{object}\t{count:.3}");
            }
        }
    } else {
        for ((case, column), count) in wanted.iter().zip(of_all(&wanted, instructions)) {
            println!("instructions\t{case}\t{column}\t{count:.1}");
        }
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
fn of_all<T: Send>(wanted: &[(&str, &str)], counted: impl Fn(&str, &str) -> T + Sync) -> Vec<T> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let mut found: Vec<(usize, T)> = thread::scope(|scope| {
        let count_some = || {
            let mut found = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some((case, column)) = wanted.get(at) else {
                    return found;
                };
                found.push((at, counted(case, column)));
            }
        };
        let all: Vec<_> = (0..cores).map(|_| scope.spawn(count_some)).collect();
        all.into_iter().flat_map(|thread| thread.join().expect("callgrind counts")).collect()
    });
    found.sort_unstable_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, found)| found).collect()
}

/// Instructions of a call.
fn instructions(case: &str, column: &str) -> f64 {
    let count = |calls| count(case, column, calls, Path::new("/dev/null"));
    a_call(count(MANY), count(FEW))
}

/// Each function's own instructions in a call, and the object that the function is in.
fn functions(case: &str, column: &str) -> Vec<(String, String, f64)> {
    let costs = |calls| {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("callgrind.{}.{case}.{column}.{calls}", process::id()));
        count(case, column, calls, &file);
        let text = fs::read_to_string(&file).expect("callgrind has written its file");
        fs::remove_file(&file).expect("what was written can be removed");
        own_costs(&text)
    };
    let (many, few): (_, BTreeMap<_, _>) = (costs(MANY), costs(FEW));
    let calls = many.into_iter().map(|(function, many)| {
        let few = few.get(&function).copied().unwrap_or_default();
        (function.name, function.object, a_call(many, few))
    });
    // What only starts the program takes as much with few calls.
    calls.filter(|(.., count)| count.abs() > 0.000_5).collect()
}

/// What one call takes, of what many and few take.
#[allow(clippy::cast_precision_loss, reason = "a process runs fewer instructions than that")]
fn a_call(many: u64, few: u64) -> f64 {
    (many as f64 - few as f64) / (MANY - FEW) as f64
}

/// Instructions of a whole process that makes so many calls; callgrind's file says which function they are in.
fn count(case: &str, column: &str, calls: u64, file: &Path) -> u64 {
    let program = current_exe().expect("a program knows where it is");
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", file.display()))
        .args(READABLE)
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
