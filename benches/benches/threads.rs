//! Several threads that share a policy: what a call takes in its thread, and calls of all threads together.

use recourse_benches::threads::{CASES, Pace, THREADS, together};
use recourse_benches::{COLUMNS, Case, Selection};
use std::time::Duration;

/// Rounds, if the command line says no other number.
const ROUNDS: u32 = 13;
/// Short and often: on a virtual machine a second core is now and then not there for a while, and a median of many rounds
/// doesn't see that.
const LONG: Duration = Duration::from_millis(20);

/// One column's paces in a case: a row a round, in the order of [`THREADS`].
type Paces = Vec<[Pace; THREADS.len()]>;

fn main() {
    let selection = Selection::of_command_line();
    let mut found: Vec<(Case, &str, Paces)> = Vec::new();
    for round in 0..selection.rounds.unwrap_or(ROUNDS) {
        for case in CASES.into_iter().filter_map(Case::named).filter(|case| selection.has_case(*case)) {
            for column in COLUMNS.iter().filter(|column| selection.has_column(column.name)) {
                let Some(mut shared) = column.share(case) else {
                    continue;
                };
                if round == 0 {
                    found.push((case, column.name, Vec::new()));
                }
                let paces = THREADS.map(|threads| together(&mut shared, threads, LONG));
                let same =
                    |(known, name, _): &&mut (Case, &str, Paces)| *known == case && *name == column.name;
                found.iter_mut().find(same).expect("its first round is over").2.push(paces);
            }
        }
    }
    for (case, column, paces) in found {
        for (at, threads) in THREADS.into_iter().enumerate() {
            let of = |figure: fn(&[Pace; THREADS.len()], usize) -> f64| {
                median(paces.iter().map(|round| figure(round, at)).collect())
            };
            let nanos = of(|round, at| round[at].nanos_per_call);
            let slower = of(|round, at| round[at].nanos_per_call / round[0].nanos_per_call);
            let more = of(|round, at| round[at].calls_per_micro / round[0].calls_per_micro);
            println!("threads\t{}\t{column}\t{threads}\t{nanos:.3}\t{slower:.3}\t{more:.3}", case.name);
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}
