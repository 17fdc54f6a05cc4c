//! [`GOALS`]: what a call may cost, beside its peers in the same run. Each is a bar set before the run.

use crate::bench::figures::Catalogue;

/// A bar for one column in one row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Goal {
    pub(super) case: &'static str,
    pub(super) column: &'static str,
    pub(super) bounds: &'static [Bound],
}

/// What a figure may be at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Bound {
    /// So many nanoseconds.
    Nanos(f64),
    /// So many instructions.
    Instructions(f64),
    /// So many allocations.
    Allocations(u32),
    /// So many times what a column takes in the same row: nanoseconds and instructions.
    Times(f64, &'static str),
    /// So many times what the same column takes in another row: nanoseconds and instructions.
    TimesRow(f64, &'static str),
    /// What the same column takes in another row, so many clock reads, and so many nanoseconds.
    Above { row: Option<&'static str>, clock_reads: u32, nanos: f64 },
}

use Bound::{Above, Allocations, Instructions, Nanos, Times, TimesRow};

const fn goal(case: &'static str, bounds: &'static [Bound]) -> Goal {
    Goal { case, column: RECOURSE, bounds }
}

const fn above(row: &'static str, clock_reads: u32, nanos: f64) -> Bound {
    Above { row: Some(row), clock_reads, nanos }
}

/// By prepared handle.
pub(super) const RECOURSE: &str = "recourse";

/// Whether a column is a way to call recourse.
pub(super) fn is_ours(column: &str) -> bool {
    column.starts_with(RECOURSE)
}

/// The operation alone.
pub(super) const BARE: &str = "bare";

/// What recourse does in a row, written by hand for that row alone: a floor, and no peer.
pub(super) const SAME_DUTIES: &str = "same-duties";

/// The row that says what a clock read takes, and its column.
pub(super) const CLOCK_READ: (&str, &str) = ("clock-read", BARE);

/// Every goal of a call, in the order of the table.
pub(super) const GOALS: &[Goal] = &[
    goal("plain", &[Nanos(8.0), Instructions(70.0), Allocations(0)]),
    Goal { case: "plain", column: "recourse-static-key", bounds: &[Times(1.0, "seatbelt"), Allocations(0)] },
    goal("plain-pending", &[Times(1.0, "tokio-retry2"), Allocations(0)]),
    goal("three-fail", &[Times(1.0, "backon"), Allocations(0)]),
    goal("timeout", &[above("plain", 0, 3.0), Allocations(0)]),
    goal("timeout-armed", &[Times(1.0, "tower"), Allocations(1)]),
    goal("breaker", &[above("plain", 0, 4.0), Allocations(0)]),
    goal("window", &[Times(0.5, "failsafe"), Allocations(0)]),
    goal("breaker-open", &[Times(1.0, "failsafe"), Allocations(0)]),
    goal("budget", &[Times(0.5, "tower"), Allocations(0)]),
    goal("three-fail-budget", &[Times(1.0, "tower"), Allocations(0)]),
    goal("hedge", &[Times(1.0 / 3.0, "seatbelt"), Allocations(0)]),
    goal("hedge-armed", &[Times(0.7, "seatbelt"), Allocations(1)]),
    goal("hedge-p95", &[above("plain", 2, 10.0), Allocations(0)]),
    goal("all", &[Times(0.5, "by-hand"), Allocations(0)]),
    goal("all-armed", &[Times(1.0, "by-hand"), Allocations(1)]),
    goal("observed", &[above("plain", 2, 15.0), Allocations(0)]),
    goal("captured", &[above("plain", 0, 250.0), Allocations(2)]),
    goal("keys-10000", &[TimesRow(1.5, "keys-1"), Allocations(0)]),
    Goal { case: "keys-10000", column: "recourse-static-key", bounds: &[TimesRow(1.5, "keys-1")] },
    Goal { case: "keys-10000", column: "recourse-string-key", bounds: &[TimesRow(1.5, "keys-1")] },
    goal("token-bucket", &[Above { row: None, clock_reads: 1, nanos: 10.0 }, Allocations(0)]),
    goal("latency-recorded", &[Nanos(8.0), Allocations(0)]),
    goal("latency-read", &[Nanos(100.0), Allocations(0)]),
];

/// What two threads that share a policy may lose, by prepared handle: nanoseconds of a call at most, and throughput at
/// least, as multiples of one thread's.
pub(super) const THREAD_GOALS: &[(&str, f64, Option<f64>)] =
    &[("plain", 1.1, Some(1.8)), ("breaker", 1.1, Some(1.8)), ("budget", 1.5, None)];

/// What a call may store on memory that other threads could reach, by prepared handle and by key. In `keys-100` the bench
/// itself writes whose turn it is.
pub(super) const STORE_GOALS: &[(&str, f64)] = &[
    ("plain", 0.0),
    ("plain-pending", 0.0),
    ("timeout", 0.0),
    ("breaker", 0.0),
    ("budget", 0.0),
    ("hedge", 0.0),
    ("all", 0.0),
    ("keys-100", 1.0),
];

/// Live bytes of a key at most, by what is kept for it.
pub(super) const MEMORY_GOALS: &[(&str, u32)] = &[("retries", 1_024), ("latency", 4_096)];

/// Bytes of a call's future beyond the operation's own, at most.
pub(super) const FUTURE_GOAL: u64 = 512;

/// Third-party packages at most, by who brings them.
pub(super) const PACKAGE_GOALS: &[(&str, usize)] = &[("recourse", 12), ("recourse-core", 0)];

/// Rows and columns that a goal names and the benches don't have: each is a slip of the pen here or there.
pub(super) fn unknown(catalogue: &Catalogue) -> Vec<&'static str> {
    let is_row = |name: &str| catalogue.rows.iter().any(|row| row.name == name);
    let is_column = |name: &str| catalogue.columns.iter().any(|column| column.name == name);
    let bounds = GOALS.iter().flat_map(|goal| goal.bounds);
    let measures = bounds.filter_map(|bound| match bound {
        Times(_, column) => (!is_column(column)).then_some(*column),
        TimesRow(_, row) | Above { row: Some(row), .. } => (!is_row(row)).then_some(*row),
        _ => None,
    });
    let rows = GOALS.iter().map(|goal| goal.case).chain(THREAD_GOALS.iter().map(|(case, ..)| *case));
    let rows = rows.chain(STORE_GOALS.iter().map(|(case, _)| *case));
    let rows = rows.chain([CLOCK_READ.0]).filter(|row| !is_row(row));
    let columns = GOALS.iter().map(|goal| goal.column).chain([CLOCK_READ.1, SAME_DUTIES]);
    rows.chain(columns.filter(|column| !is_column(column))).chain(measures).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::figures::{Column, Row};

    #[test]
    fn the_floor_is_no_peer() {
        for bound in GOALS.iter().flat_map(|goal| goal.bounds) {
            assert!(!matches!(bound, Times(_, SAME_DUTIES)), "{bound:?}");
        }
    }

    #[test]
    fn a_goal_may_name_only_what_is_there() {
        let names = unknown(&Catalogue::default());
        assert!(names.contains(&"plain") && names.contains(&"tower") && names.contains(&"keys-1"));
        let row = |name: &&str| Row { name: (*name).to_owned(), ..Row::default() };
        let column = |name: &&str| Column { name: (*name).to_owned(), ..Column::default() };
        let known =
            Catalogue { rows: names.iter().map(row).collect(), columns: names.iter().map(column).collect() };
        assert_eq!(unknown(&known), [""; 0]);
    }
}
