//! Every contestant does what its case asks for: a runner panics if its calls end otherwise.

use recourse_benches::case::{Floor, Setup};
use recourse_benches::threads::{self, together};
use recourse_benches::{CASES, COLUMNS, Case, Selection, column};
use std::collections::HashSet;
use std::time::Duration;

#[test]
fn every_runner_makes_its_calls() {
    for case in CASES {
        let mut ran = 0;
        for column in COLUMNS {
            if let Some(mut runner) = column.prepare(case) {
                runner.run(1_000);
                ran += 1;
            }
        }
        assert!(ran > 0, "nobody does {}", case.name);
    }
}

#[test]
fn recourse_does_every_case_that_is_its_own() {
    let recourse = column("recourse").expect("recourse is a column");
    for case in CASES {
        // The window: until there is such a breaker.
        let expected = !matches!(case.setup, Setup::Floor(_));
        assert_eq!(recourse.prepare(case).is_some(), expected, "{}", case.name);
    }
}

#[test]
fn threads_that_share_a_policy_make_their_calls() {
    for case in threads::CASES {
        let case = Case::named(case).expect("a case of the list");
        let mut shared = COLUMNS.into_iter().filter_map(|column| column.share(case)).peekable();
        assert!(shared.peek().is_some(), "nobody shares {}", case.name);
        for mut shared in shared {
            let pace = together(&mut shared, 2, Duration::from_millis(1));
            assert!(pace.nanos_per_call > 0.0 && pace.calls_per_micro > 0.0, "{}", case.name);
        }
    }
}

#[test]
fn a_case_is_found_by_its_name_and_by_no_other_cases() {
    let names: HashSet<&str> = CASES.into_iter().map(|case| case.name).collect();
    assert_eq!(names.len(), CASES.len());
    for case in CASES {
        assert_eq!(Case::named(case.name), Some(case));
    }
}

#[test]
fn the_future_of_a_call_has_a_size_and_a_step_has_none() {
    let bare = column("bare").expect("bare is a column");
    let size = |case: Case| bare.prepare(case).and_then(|runner| runner.future_size());
    for case in CASES {
        if case.setup == Setup::Retry {
            assert!(size(case).is_some(), "{}", case.name);
        }
        if case.setup == Setup::Floor(Floor::ClockRead) {
            assert_eq!(size(case), None);
        }
    }
}

#[test]
fn a_selection_takes_parts_of_names_whole_names_and_beginnings_of_columns() {
    let selected = |arguments: &[&str]| -> Vec<&str> {
        let selection = Selection::of(arguments.iter().map(ToString::to_string));
        CASES.into_iter().filter(|case| selection.has_case(*case)).map(|case| case.name).collect()
    };
    assert_eq!(selected(&["--bench"]).len(), CASES.len());
    assert_eq!(selected(&["plain", "all-a"]), ["plain", "plain-pending", "all-armed"]);
    assert_eq!(selected(&["=plain", "--bench"]), ["plain"]);
    assert!(selected(&["=", "--rounds", "3"]).is_empty());
    let columns = |selected: &str| {
        let selection = Selection::of(["--columns", selected].map(str::to_owned).into_iter());
        COLUMNS.iter().filter(|column| selection.has_column(column.name)).count()
    };
    assert_eq!((columns("recourse"), columns("=recourse")), (3, 1));
}
