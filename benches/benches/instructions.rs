//! Instructions a call, counted by valgrind's callgrind: the program runs itself under it.
//!
//! Each case runs with two numbers of calls, and the difference is divided by theirs: what it takes to start the
//! program and to build the policy cancels out.

use recourse_benches::{CONTESTANTS, Case};
use std::env::{args, current_exe};
use std::process::Command;

const FEW: u64 = 1_000;
const MANY: u64 = 6_000;
/// Says that this process is the one under callgrind: case, contestant and number of calls follow.
const INSIDE: &str = "--count";

fn main() {
    let arguments: Vec<String> = args().skip(1).collect();
    if let [INSIDE, case, contestant, calls] =
        arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice()
    {
        return run(case, contestant, calls);
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("no instruction counts: there is no `valgrind` on the path");
        return;
    }
    let wanted = arguments.iter().find(|argument| !argument.starts_with('-')).cloned().unwrap_or_default();
    println!("{:<20} {:<22} {:>12}", "case", "contestant", "instructions");
    for case in Case::ALL.into_iter().filter(|case| case.name().contains(&wanted)) {
        for contestant in CONTESTANTS {
            if (contestant.prepare)(case).is_none() {
                continue;
            }
            let counted =
                count(case.name(), contestant.name, MANY) - count(case.name(), contestant.name, FEW);
            println!("{:<20} {:<22} {:>12}", case.name(), contestant.name, counted / (MANY - FEW));
        }
    }
}

/// Makes the calls.
fn run(case: &str, contestant: &str, calls: &str) {
    let case = Case::named(case).expect("a case of the list");
    let contestant =
        CONTESTANTS.iter().find(|known| known.name == contestant).expect("a contestant of the list");
    let mut run = (contestant.prepare)(case).expect("a case that the contestant can do");
    run(calls.parse().expect("a number of calls"));
}

/// Instructions of a whole process that makes so many calls.
fn count(case: &str, contestant: &str, calls: u64) -> u64 {
    let program = current_exe().expect("a program knows where it is");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([INSIDE, case, contestant, &calls.to_string()])
        .output()
        .expect("valgrind was there a moment ago");
    let report = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{case} {contestant} failed under callgrind:\n{report}");
    let collected = report.lines().find_map(|line| line.split_once("Collected : "));
    let (_, count) = collected.expect("callgrind says what it has collected");
    count.trim().parse().expect("callgrind counts in digits")
}
