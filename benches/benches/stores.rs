//! Stores of a call on memory that other threads could reach, counted in a trace of valgrind's lackey: the program runs
//! itself under it.
//!
//! What a thread has on its stack or in a thread-local variable is its own; all else counts, also what a call has boxed
//! for itself. Each case makes two numbers of calls, and the difference is divided by theirs.

use recourse_benches::elf::Place;
use recourse_benches::lackey::{OWN, TOLD, TRACING, foreign_stores};
use recourse_benches::own::{own_memory, place_of_mark};
use recourse_benches::valgrind::{a_call, inside, myself, of_all, runner, wanted};
use recourse_benches::{Case, Selection};
use std::io::{BufReader, Write, stderr};
use std::process::Stdio;

/// The rows in which nothing has to be written, and some in which something is. What a budget writes where it pays is none
/// of them: it depends on how much time has gone by.
const ROWS: [&str; 11] = [
    "plain",
    "plain-pending",
    "three-fail",
    "timeout",
    "breaker",
    "window",
    "budget",
    "hedge",
    "hedge-p95",
    "all",
    "keys-100",
];
/// A latency window looks at one sample in 64 whether threads meet: one such is in the difference.
const FEW: u64 = 8;
const MANY: u64 = FEW + 64;

fn main() {
    if let Some(what) = inside() {
        return run(&what);
    }
    let wanted = wanted(ROWS.into_iter().filter_map(Case::named), &Selection::of_command_line());
    if wanted.is_empty() {
        return;
    }
    let mark = place_of_mark();
    // To start a traced program takes longer than to make a row's calls.
    let rows: Vec<_> = wanted.chunk_by(|one, next| one.0 == next.0).collect();
    let counts = of_all(&rows, |row| stores(mark, row));
    for ((case, column), count) in wanted.iter().zip(counts.iter().flatten()) {
        println!("stores\t{case}\t{column}\t{count:.3}");
    }
}

/// Makes the calls, and tells when.
fn run(what: &[String]) {
    let [at, of, case, columns @ ..] = what else {
        panic!("a place, a case and its columns");
    };
    let number = |text: &String| text.parse().expect("a number");
    let mark = Place { at: number(at), of: number(of) };
    for column in columns {
        let mut runner = runner(case, column);
        // So that the stack has grown, what is built late is built, and few latencies are the longest so far.
        runner.run(MANY);
        let own = own_memory(mark).map(|own| format!(" {:x}-{:x}", own.start, own.end)).concat();
        tell(&line(&format!("{OWN}{own}")));
        let [few, many, over] =
            [stretch(column, FEW), stretch(column, MANY), "over".to_owned()].map(|text| line(&text));
        // Between two of these nothing is done but calls.
        tell(&few);
        runner.run(FEW);
        tell(&many);
        runner.run(MANY);
        tell(&over);
    }
}

fn stretch(column: &str, calls: u64) -> String {
    format!("{column} {calls}")
}

fn line(text: &str) -> String {
    format!("{TOLD}{text}\n")
}

/// In one piece, or lines of the trace would come between.
fn tell(line: &str) {
    stderr().write_all(line.as_bytes()).expect("who traces reads it");
}

/// Stores of a call, for each column of a row.
fn stores(mark: Place, row: &[(&str, &str)]) -> Vec<f64> {
    let (at, of) = (mark.at.to_string(), mark.of.to_string());
    let case = row.first().map_or("", |(case, _)| case);
    let what: Vec<&str> = [&at, &of, case].into_iter().chain(row.iter().map(|(_, column)| *column)).collect();
    // Both write into one pipe, one line after the other.
    let mut traced = myself("lackey", &[TRACING], &what)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("valgrind is on the path");
    let trace = BufReader::new(traced.stderr.take().expect("a pipe was asked for"));
    let found = foreign_stores(trace).expect("a trace can be read");
    let status = traced.wait().expect("what was started ends");
    assert!(status.success(), "{case} failed under lackey:\n{}", found.rest);
    let of = |column: &str, calls: u64| {
        let name = stretch(column, calls);
        let found = found.stretches.iter().find(|(told, _)| *told == name);
        found.expect("the program has told of it").1
    };
    row.iter().map(|(_, column)| a_call(of(column, MANY), of(column, FEW), MANY - FEW)).collect()
}
