//! The tables whose rows are calls.

use crate::bench::figures::{Call, Catalogue, Report, find};
use crate::bench::goals::{BARE, GOALS, RECOURSE, SAME_DUTIES, STORE_GOALS, is_ours};
use crate::bench::judge::{Figure, Judged};
use crate::bench::markdown::{table, verdict};
use crate::bench::numbers::{count, nanos, or_none, whole};
use std::cmp::Ordering;

/// The rows that more than the bare operation is in, with their goals.
pub(super) fn calls(catalogue: &Catalogue, calls: &[Call]) -> String {
    let rows = catalogue.rows.iter().filter_map(|row| {
        let cells: Vec<&Call> = calls.iter().filter(|call| call.case == row.name).collect();
        if !cells.iter().any(|call| call.column != BARE) {
            return None;
        }
        let goals: Vec<_> = GOALS.iter().filter(|goal| goal.case == row.name).collect();
        let texts = goals.iter().map(|goal| match goal.column {
            RECOURSE => goal.text(),
            column => format!("{}: {}", short(column), goal.text()),
        });
        let met = |figure: Figure| {
            let judged = goals.iter().flat_map(|goal| goal.judge(calls));
            lines(judged.filter(|judged| judged.figure == figure).map(|judged| judged.text()))
        };
        let alone = |column: &str| {
            let cell = cells.iter().find(|call| call.column == column);
            cell.map_or_else(|| "-".to_owned(), |call| figures(call))
        };
        Some([
            format!("{} (`{}`)", row.title, row.name),
            alone(BARE),
            lines(ours(&cells)),
            alone(SAME_DUTIES),
            peers(&cells),
            lines(texts),
            met(Figure::Nanos),
            met(Figure::Instructions),
            met(Figure::Allocations),
        ])
    });
    let heads = [
        "case",
        "bare",
        "recourse",
        "same duties by hand",
        "peers",
        "goal",
        "ns",
        "instructions",
        "allocations",
    ];
    table(heads, rows)
}

/// The rows that the bare operation is alone in: what the machine charges for a step.
pub(super) fn floors(catalogue: &Catalogue, calls: &[Call]) -> String {
    let rows = catalogue.rows.iter().filter_map(|row| {
        let mut cells = calls.iter().filter(|call| call.case == row.name);
        let (cell, None) = (cells.next()?, cells.next()) else {
            return None;
        };
        (cell.column == BARE).then(|| {
            [
                row.title.clone(),
                or_none(cell.nanos.map(|nanos| nanos.median), nanos),
                or_none(cell.instructions, whole),
            ]
        })
    });
    table(["step", "ns", "instructions"], rows)
}

/// By handle, and below it by key.
fn ours(cells: &[&Call]) -> Vec<String> {
    let ours = cells.iter().filter(|call| is_ours(&call.column));
    ours.map(|call| match call.column.as_str() {
        RECOURSE => figures(call),
        column => format!("{} {}", short(column), figures(call)),
    })
    .collect()
}

/// The fastest first; the cheapest first where nothing was timed.
fn peers(cells: &[&Call]) -> String {
    let mut peers: Vec<&&Call> = cells.iter().filter(|call| is_peer(&call.column)).collect();
    let cost = |call: &Call| call.nanos.map(|nanos| nanos.median).or(call.instructions);
    peers.sort_by(|a, b| cost(a).partial_cmp(&cost(b)).unwrap_or(Ordering::Equal));
    let texts: Vec<String> = peers.iter().map(|call| format!("{} {}", call.column, figures(call))).collect();
    if texts.is_empty() { "-".to_owned() } else { texts.join(" · ") }
}

/// Whether it is neither recourse nor one of the measured floors.
fn is_peer(column: &str) -> bool {
    !is_ours(column) && ![BARE, SAME_DUTIES].contains(&column)
}

fn short(column: &str) -> String {
    column.trim_start_matches("recourse-").replace('-', " ")
}

fn figures(call: &Call) -> String {
    format!(
        "{} / {} / {}",
        or_none(call.nanos.map(|nanos| nanos.median), nanos),
        or_none(call.instructions, whole),
        count(call.allocations)
    )
}

/// One below the other, in one cell.
fn lines(texts: impl IntoIterator<Item = String>) -> String {
    let texts: Vec<String> = texts.into_iter().collect();
    if texts.is_empty() { "-".to_owned() } else { texts.join("<br>") }
}

/// What a call stores on memory that other threads could reach, in the rows in which that was counted.
pub(super) fn stores(calls: &[Call]) -> String {
    const ALONE: [&str; 4] = [RECOURSE, "recourse-static-key", "recourse-string-key", SAME_DUTIES];
    let rows = calls.chunk_by(|one, next| one.case == next.case).filter_map(|cells| {
        let counted: Vec<(&str, f64)> =
            cells.iter().filter_map(|call| Some((call.column.as_str(), call.stores?))).collect();
        let (case, _) = (&cells.first()?.case, counted.first()?);
        let [handle, static_key, string_key, same_duties] = ALONE.map(|alone| {
            let found = counted.iter().find(|(column, _)| *column == alone);
            found.map_or_else(|| "-".to_owned(), |(_, stores)| count(*stores))
        });
        let mut peers: Vec<_> = counted.iter().filter(|(column, _)| is_peer(column)).collect();
        peers.sort_by(|(_, a), (_, b)| a.total_cmp(b));
        let peers = peers.iter().map(|(column, stores)| format!("{column} {}", count(*stores)));
        let peers = peers.collect::<Vec<_>>().join(" · ");
        let most = STORE_GOALS.iter().find(|(goal, _)| goal == case).map(|(_, most)| *most);
        let is_met = |most: f64| {
            counted.iter().filter(|(column, _)| is_ours(column)).all(|(_, stores)| *stores <= most)
        };
        Some([
            format!("`{case}`"),
            handle,
            static_key,
            string_key,
            same_duties,
            if peers.is_empty() { "-".to_owned() } else { peers },
            most.map_or_else(|| "-".to_owned(), at_most),
            most.map_or_else(|| "-".to_owned(), |most| verdict(is_met(most))),
        ])
    });
    let heads = [
        "case",
        "recourse, by handle",
        "static key",
        "string key",
        "same duties by hand",
        "peers",
        "goal",
        "",
    ];
    table(heads, rows)
}

fn at_most(stores: f64) -> String {
    if stores == 0.0 { "none".to_owned() } else { format!("<= {}", count(stores)) }
}

/// A few rows in other profiles.
pub(super) fn profiles(report: &Report) -> String {
    let measured = report.profiles.values().next().map_or(&[][..], Vec::as_slice);
    let shown = |calls: &[Call], of: &Call| {
        find(calls, &of.case, &of.column).map_or_else(
            || "?".to_owned(),
            |call| {
                let nanos = or_none(call.nanos.map(|nanos| nanos.median), nanos);
                format!("{nanos} / {}", or_none(call.instructions, whole))
            },
        )
    };
    let other = |name: &str, of: &Call| {
        report.profiles.get(name).map_or_else(|| "?".to_owned(), |calls| shown(calls, of))
    };
    let rows = measured.iter().map(|call| {
        [
            format!("`{}`", call.case),
            call.column.clone(),
            shown(&report.calls, call),
            other("one-unit", call),
            other("fat-lto", call),
        ]
    });
    table(["case", "contestant", "release", "one codegen unit", "fat LTO, one codegen unit"], rows)
}

/// Every cell with its spread.
pub(super) fn everything(calls: &[Call]) -> String {
    let rows = calls.iter().map(|call| {
        [
            format!("`{}`", call.case),
            call.column.clone(),
            or_none(call.nanos.map(|nanos| nanos.median), nanos),
            call.nanos.map_or_else(
                || "?".to_owned(),
                |found| format!("{} to {}", nanos(found.lowest), nanos(found.highest)),
            ),
            or_none(call.instructions, whole),
            count(call.allocations),
            count(call.bytes),
            call.beyond.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string()),
        ]
    });
    let heads =
        ["case", "contestant", "ns", "lowest to highest", "instructions", "allocations", "bytes", "future"];
    table(heads, rows)
}

/// How the goals of some rows stand, a line each, for a terminal.
pub(super) fn goals(calls: &[Call]) -> String {
    let mut text = String::new();
    for goal in GOALS.iter().filter(|goal| find(calls, goal.case, goal.column).is_some()) {
        let judged: Vec<String> = goal.judge(calls).iter().map(Judged::text).collect();
        text += &format!("{} {}: {}\n    {}\n", goal.case, goal.column, goal.text(), judged.join(" · "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::figures::Row;

    fn call(case: &str, column: &str, nanos: f64) -> Call {
        Call::of(case, column, nanos, 10.0 * nanos)
    }

    #[test]
    fn peers_stand_fastest_first_beside_the_floor_and_goals_are_judged() {
        let row = |name: &str| Row { name: name.to_owned(), title: format!("the {name}") };
        let catalogue = Catalogue { rows: vec![row("budget"), row("clock-read")], columns: Vec::new() };
        let found = [
            call("budget", "bare", 1.0),
            call("budget", "recourse", 9.0),
            call("budget", "execution-policy", 50.0),
            call("budget", "tower", 16.0),
            call("budget", "same-duties", 7.0),
            call("clock-read", "bare", 28.0),
        ];
        assert_eq!(
            calls(&catalogue, &found).lines().last().unwrap_or_default(),
            "| the budget (`budget`) | 1.0 / 10 / 0 | 9.0 / 90 / 0 | 7.0 / 70 / 0 | tower 16.0 / 160 / 0 · execution-policy 50.0 / 500 / 0 \
             | <= half of tower; 0 allocations | **missed**: 9.0 of 8.0 | **missed**: 90 of 80 | met: 0 of 0 |"
        );
        let floors = floors(&catalogue, &found);
        assert_eq!(floors.lines().last().unwrap_or_default(), "| the clock-read | 28.0 | 280 |");
    }

    #[test]
    fn stores_are_judged_by_all_ways_to_call_recourse_and_peers_stand_fewest_first() {
        let stored = |column: &str, stores| Call { stores: Some(stores), ..call("plain", column, 1.0) };
        let shown = |by_key| {
            let found = [
                stored("bare", 0.0),
                stored("recourse", 0.0),
                stored("recourse-string-key", by_key),
                stored("tower", 5.0),
                stored("backon", 0.5),
                stored("same-duties", 0.0),
                call("observed", "recourse", 1.0),
            ];
            stores(&found).lines().last().unwrap_or_default().to_owned()
        };
        assert_eq!(shown(0.0), "| `plain` | 0 | - | 0 | 0 | backon 0.5 · tower 5 | none | met |");
        assert_eq!(shown(1.0), "| `plain` | 0 | - | 1 | 0 | backon 0.5 · tower 5 | none | **missed** |");
    }
}
