//! Figures of now against the committed ones: which have become worse.

use crate::bench::figures::{Call, find};
use crate::bench::numbers::{count, whole};

/// How much dearer in instructions a row may become, in hundredths.
const MOST_PERCENT: f64 = 3.0;
/// What a percentage may be off by for being computed.
const ROUNDING: f64 = 1e-9;
/// How many more stores a row may come out with: where latencies steer a call, they don't repeat exactly.
const MOST_STORES: f64 = 0.05;
/// What a thousandth of an allocation, the last digit, may come out as.
const DIGIT: f64 = 0.000_5;

/// What came of a comparison.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Compared {
    /// For the terminal: a line a row.
    pub(super) table: String,
    /// What has become worse, a line each.
    pub(super) worse: Vec<String>,
    /// The rows that those instructions and stores are of.
    pub(super) dearer: Vec<String>,
    /// Rows that the committed figures don't have, and rows that are gone.
    pub(super) unmatched: Vec<String>,
}

/// Compares rows of recourse; instructions and stores only where both sides have them.
pub(super) fn compare(committed: &[Call], now: &[Call]) -> Compared {
    let heads = ["row", "column", "instructions", "now", "change", "allocations", "now", "stores", "now"];
    let mut compared = Compared { table: line(heads), ..Compared::default() };
    for call in now {
        let name = format!("{} {}", call.case, call.column);
        let Some(before) = find(committed, &call.case, &call.column) else {
            compared.unmatched.push(format!("{name} is new"));
            continue;
        };
        let change = before.instructions.zip(call.instructions).map(|(before, now)| percent(before, now));
        if change.is_some_and(|change| change > MOST_PERCENT + ROUNDING) {
            compared.dearer.push(call.case.clone());
            let figures = before.instructions.zip(call.instructions).unwrap_or_default();
            compared.worse.push(format!(
                "{name}: {} instructions, {} before: {}",
                whole(figures.1),
                whole(figures.0),
                change.map(signed).unwrap_or_default()
            ));
        }
        if call.allocations > before.allocations + DIGIT {
            compared.worse.push(format!(
                "{name}: {} allocations, {} before",
                count(call.allocations),
                count(before.allocations)
            ));
        }
        let stores = before.stores.zip(call.stores);
        if let Some((before, now)) = stores.filter(|(before, now)| *now > before + MOST_STORES + ROUNDING) {
            compared.dearer.push(call.case.clone());
            compared.worse.push(format!(
                "{name}: {} stores that threads could share, {} before",
                count(now),
                count(before)
            ));
        }
        compared.table += &line([
            &call.case,
            &call.column,
            &before.instructions.map_or_else(|| "-".to_owned(), whole),
            &call.instructions.map_or_else(|| "-".to_owned(), whole),
            &change.map_or_else(|| "-".to_owned(), signed),
            &count(before.allocations),
            &count(call.allocations),
            &before.stores.map_or_else(|| "-".to_owned(), count),
            &call.stores.map_or_else(|| "-".to_owned(), count),
        ]);
    }
    for call in committed {
        if find(now, &call.case, &call.column).is_none() {
            compared.unmatched.push(format!("{} {} is gone", call.case, call.column));
        }
    }
    compared
}

fn percent(before: f64, now: f64) -> f64 {
    if before == 0.0 { if now == 0.0 { 0.0 } else { f64::INFINITY } } else { 100.0 * (now / before - 1.0) }
}

fn signed(percent: f64) -> String {
    // No negative zero.
    if percent.abs() < 0.05 { "0.0 %".to_owned() } else { format!("{percent:+.1} %") }
}

fn line(cells: [&str; 9]) -> String {
    let [row, column, before, now, change, allocations_before, allocations, stores_before, stores] = cells;
    let text = format!(
        "{row:<26}{column:<22}{before:>13}{now:>9}{change:>10}{allocations_before:>13}{allocations:>7}{stores_before:>9}\
         {stores:>7}"
    );
    text.trim_end().to_owned() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(case: &str, instructions: Option<f64>, allocations: f64) -> Call {
        Call {
            case: case.to_owned(),
            column: "recourse".to_owned(),
            instructions,
            allocations,
            ..Call::default()
        }
    }

    fn worse(before: Call, now: Call) -> Vec<String> {
        compare(&[before], &[now]).worse
    }

    #[test]
    fn three_in_a_hundred_more_instructions_are_too_many() {
        let with = |instructions| call("plain", Some(instructions), 0.0);
        assert!(worse(with(100.0), with(103.0)).is_empty());
        assert_eq!(worse(with(100.0), with(104.0)), ["plain recourse: 104 instructions, 100 before: +4.0 %"]);
        assert!(worse(with(100.0), with(50.0)).is_empty());
    }

    #[test]
    fn any_new_allocation_is_too_many_even_without_instructions() {
        let with = |allocations| call("plain", None, allocations);
        assert!(worse(with(1.0), with(1.0)).is_empty());
        assert!(worse(with(1.0), with(0.0)).is_empty());
        assert_eq!(worse(with(0.0), with(0.001)), ["plain recourse: 0.001 allocations, 0 before"]);
    }

    #[test]
    fn a_new_store_that_threads_could_share_is_too_many() {
        let with = |stores| Call { stores, ..call("plain", None, 0.0) };
        assert!(worse(with(Some(0.0)), with(Some(0.05))).is_empty());
        assert!(worse(with(Some(1.0)), with(Some(0.0))).is_empty());
        let line = "plain recourse: 1 stores that threads could share, 0 before";
        assert_eq!(worse(with(Some(0.0)), with(Some(1.0))), [line]);
        assert_eq!(compare(&[with(Some(0.0))], &[with(Some(1.0))]).dearer, ["plain"]);
    }

    #[test]
    fn stores_that_one_side_has_not_counted_are_no_failure() {
        let with = |stores| Call { stores, ..call("plain", None, 0.0) };
        assert!(worse(with(None), with(Some(9.0))).is_empty());
        assert!(worse(with(Some(0.0)), with(None)).is_empty());
    }

    #[test]
    fn rows_of_one_side_alone_are_named_and_no_failure() {
        let compared = compare(&[call("old", None, 0.0)], &[call("new", None, 9.0)]);
        assert_eq!(compared.unmatched, ["new recourse is new", "old recourse is gone"]);
        assert!(compared.worse.is_empty());
    }

    #[test]
    fn the_table_has_a_line_a_row() {
        let compared = compare(&[call("plain", Some(1_600.0), 0.0)], &[call("plain", Some(1_200.0), 0.0)]);
        assert_eq!(
            compared.table,
            "row                       column                 instructions      now    change  allocations    now   stores    now\n\
             plain                     recourse                      1,600    1,200   -25.0 %            0      0        -      -\n"
        );
    }
}
