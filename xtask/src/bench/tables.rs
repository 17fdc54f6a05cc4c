//! The tables whose rows are no calls: threads, sizes, weights, notes.

use crate::bench::figures::{Catalogue, Pace, Report};
use crate::bench::goals::{FUTURE_GOAL, MEMORY_GOALS, PACKAGE_GOALS, RECOURSE, THREAD_GOALS, is_ours};
use crate::bench::markdown::{table, verdict};
use crate::bench::numbers::{nanos, whole};

/// Threads that share a policy: a row a contestant.
pub(super) fn threads(report: &Report) -> String {
    let ones = report.threads.iter().filter(|pace| pace.threads == 1);
    let rows = ones.map(|one| {
        let with = |threads: u32| {
            let same =
                |pace: &&Pace| pace.case == one.case && pace.column == one.column && pace.threads == threads;
            report.threads.iter().find(same)
        };
        let shown = |threads: u32| {
            with(threads)
                .map_or_else(|| "?".to_owned(), |pace| format!("{:.2} / {:.2}", pace.slower, pace.throughput))
        };
        let goal = THREAD_GOALS.iter().find(|(case, ..)| *case == one.case && one.column == RECOURSE);
        let (text, met) = match (goal, with(2)) {
            (Some((_, slower, throughput)), Some(two)) => (
                match throughput {
                    Some(least) => format!("two: <= {slower} / >= {least}"),
                    None => format!("two: <= {slower}"),
                },
                verdict(two.slower <= *slower && throughput.is_none_or(|least| two.throughput >= least)),
            ),
            _ => ("-".to_owned(), "-".to_owned()),
        };
        [format!("`{}`", one.case), one.column.clone(), nanos(one.nanos), shown(2), shown(4), text, met]
    });
    table(["case", "contestant", "ns, one thread", "two threads", "four threads", "goal", ""], rows)
}

/// Live bytes a key.
pub(super) fn memory(report: &Report) -> String {
    let rows = report.memory.iter().map(|(kept, bytes)| {
        let goal = MEMORY_GOALS.iter().find(|(name, _)| name == kept);
        [
            kept.clone(),
            whole(*bytes as f64),
            goal.map_or_else(|| "-".to_owned(), |(_, most)| format!("< {}", whole(f64::from(*most)))),
            goal.map_or_else(|| "-".to_owned(), |(_, most)| verdict(*bytes < i64::from(*most))),
        ]
    });
    table(["what is kept", "bytes a key", "goal", ""], rows)
}

/// Bytes of a call's future beyond the operation's own.
pub(super) fn futures(report: &Report) -> String {
    let rows = report.futures.iter().map(|size| {
        [
            size.operation.clone(),
            size.run.to_string(),
            size.captured.to_string(),
            format!("<= {FUTURE_GOAL}"),
            verdict(size.run.max(size.captured) <= FUTURE_GOAL),
        ]
    });
    table(["operation", "`run`", "`run_captured`", "goal", ""], rows)
}

/// What comes with recourse, and with its peers.
pub(super) fn weight(report: &Report) -> String {
    let weight = &report.weight;
    let added = weight.one_call_bytes.saturating_sub(weight.empty_bytes);
    let bytes = |bytes: u64| whole(bytes as f64);
    let mut rows = vec![
        ["cold `cargo build -p recourse --release`".to_owned(), format!("{:.1} s", weight.build_seconds)],
        [
            "added to a program by one call, release, stripped".to_owned(),
            format!(
                "{} bytes ({} beside {} of an empty `main`)",
                bytes(added),
                bytes(weight.one_call_bytes),
                bytes(weight.empty_bytes)
            ),
        ],
    ];
    for (name, most) in PACKAGE_GOALS {
        if let Some(found) = weight.packages.get(*name) {
            rows.push([
                format!("third-party packages of `{name}`, goal <= {most}"),
                format!("{found}, {}", verdict(found <= most)),
            ]);
        }
    }
    let peers = weight.packages.iter().filter(|(name, _)| !is_ours(name));
    let peers: Vec<String> = peers.map(|(name, packages)| format!("{name} {packages}")).collect();
    rows.push([
        "third-party packages of peers, with the features that are used here".to_owned(),
        peers.join(" · "),
    ]);
    table(["what", ""], rows)
}

/// What each contestant does and doesn't do.
pub(super) fn contestants(catalogue: &Catalogue) -> String {
    let rows = catalogue.columns.iter();
    let rows = rows.map(|column| [column.name.clone(), column.does.clone(), column.does_not.clone()]);
    table(["contestant", "does", "doesn't"], rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::figures::FutureSize;

    #[test]
    fn threads_are_judged_by_both_figures() {
        let pace = |threads, slower, throughput| Pace {
            case: "plain".to_owned(),
            column: "recourse".to_owned(),
            threads,
            nanos: 7.0,
            slower,
            throughput,
        };
        let shown = |two| {
            let threads = vec![pace(1, 1.0, 1.0), two, pace(4, 2.0, 2.0)];
            threads_row(&Report { threads, ..Report::default() })
        };
        let row = "| `plain` | recourse | 7.0 | 1.05 / 1.90 | 2.00 / 2.00 | two: <= 1.1 / >= 1.8 | met |";
        assert_eq!(shown(pace(2, 1.05, 1.9)), row);
        assert!(shown(pace(2, 1.05, 1.7)).ends_with("| **missed** |"));
    }

    fn threads_row(report: &Report) -> String {
        threads(report).lines().last().unwrap_or_default().to_owned()
    }

    #[test]
    fn sizes_are_judged_by_the_larger_one() {
        let futures_of = |captured| {
            let size = FutureSize { operation: "ready".to_owned(), run: 504, captured };
            futures(&Report { futures: vec![size], ..Report::default() })
        };
        assert!(futures_of(512).ends_with("| met |\n"));
        assert!(futures_of(513).ends_with("| **missed** |\n"));
        let memory = memory(&Report { memory: [("retries".to_owned(), 1_024)].into(), ..Report::default() });
        assert!(memory.ends_with("| retries | 1,024 | < 1,024 | **missed** |\n"), "{memory}");
    }
}
