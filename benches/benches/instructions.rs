//! Instructions a call, counted by valgrind's callgrind: the program runs itself under it.
//!
//! Each case runs with two numbers of calls, and the difference is divided by theirs: what it takes to start the
//! program and to build the policy cancels out. With `--functions` the same is done for each function.

use recourse_benches::callgrind::{READABLE, own_costs};
use recourse_benches::valgrind::{a_call, inside, myself, of_all, runner, wanted};
use recourse_benches::{CASES, Selection};
use std::collections::BTreeMap;
use std::env::args;
use std::path::Path;
use std::{fs, process};

const FEW: u64 = 1_000;
const MANY: u64 = 6_000;
/// Asks for the instructions of each function.
const FUNCTIONS: &str = "--functions";

fn main() {
    if let Some(what) = inside() {
        let [case, column, calls] = what.try_into().expect("a case, a column and a number of calls");
        return runner(&case, &column).run(calls.parse().expect("a number of calls"));
    }
    let by_function = args().any(|argument| argument == FUNCTIONS);
    let wanted = wanted(CASES, &Selection::of_command_line());
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

/// Instructions of a call.
fn instructions((case, column): &(&str, &str)) -> f64 {
    let count = |calls| count(case, column, calls, Path::new("/dev/null"));
    a_call(count(MANY), count(FEW), MANY - FEW)
}

/// Each function's own instructions in a call, and the object that the function is in.
fn functions((case, column): &(&str, &str)) -> Vec<(String, String, f64)> {
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
        (function.name, function.object, a_call(many, few, MANY - FEW))
    });
    // What only starts the program takes as much with few calls.
    calls.filter(|(.., count)| count.abs() > 0.000_5).collect()
}

/// Instructions of a whole process that makes so many calls; callgrind's file says which function they are in.
fn count(case: &str, column: &str, calls: u64, file: &Path) -> u64 {
    let file = format!("--callgrind-out-file={}", file.display());
    let [strings, positions] = READABLE;
    let output = myself("callgrind", &[&file, strings, positions], &[case, column, &calls.to_string()])
        .output()
        .expect("valgrind is on the path");
    let report = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{case} {column} failed under callgrind:\n{report}");
    let collected = report.lines().find_map(|line| line.split_once("Collected : "));
    let (_, count) = collected.expect("callgrind says what it has collected");
    count.trim().parse().expect("callgrind counts in digits")
}
