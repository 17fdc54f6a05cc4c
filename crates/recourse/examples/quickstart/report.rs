//! [`Report`]: two timelines and a table; and none of it unless all of it was measured.

use crate::load::{PER_SECOND, Part, REQUESTS, Run};
use crate::tally::{Seen, Tally};
use anyhow::bail;
use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};
use hdrhistogram::Histogram;
use recourse::Timeline;
use std::fmt;

pub(crate) struct Report {
    retried: Timeline,
    hedged: Timeline,
    table: Table,
}

impl Report {
    /// Compares two runs of the load. An error names what they didn't show.
    pub(crate) fn new(bare: &Run, guarded: &Run, tally: &Tally) -> anyhow::Result<Self> {
        let latencies = [bare.latencies()?, guarded.latencies()?];
        let seen = tally.seen();
        let needed = [
            ("an answer to the bare client", !latencies[0].is_empty()),
            ("an answer through recourse", !latencies[1].is_empty()),
            ("a retried call that succeeded", seen.retried.is_some()),
            ("a hedged call that its hedge won", seen.hedged.is_some()),
            ("a hedge that won", seen.hedges_won > 0),
            ("a hedge that lost", seen.hedges_lost > 0),
            ("an answer after a Retry-After", seen.waited_as_asked > 0),
            ("a retry that the budget denied", seen.retries_denied > 0),
            ("a breaker that opened", seen.breaker_opened > 0),
            ("a breaker that closed again", seen.breaker_closed > 0),
        ];
        let missing: Vec<_> = needed.iter().filter(|(_, seen)| !seen).map(|(what, _)| *what).collect();
        match (&seen.retried, &seen.hedged) {
            (Some(retried), Some(hedged)) if missing.is_empty() => Ok(Report {
                retried: retried.clone(),
                hedged: hedged.clone(),
                table: table(bare, guarded, &latencies, &seen),
            }),
            _ => bail!("no report, because the runs did not show {}", missing.join(", ")),
        }
    }
}

fn table(bare: &Run, guarded: &Run, latencies: &[Histogram<u64>; 2], seen: &Seen) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header(["", "bare", "recourse"]);
    let mut row = |what: &str, [bare, guarded]: [String; 2]| {
        table.add_row([what, &bare, &guarded]);
    };

    let success = |part| [bare, guarded].map(|run| format!("{:.1} %", 100.0 * run.success_rate(part)));
    row("success rate", success(Part::Whole));
    row("- outside of the outage", success(Part::OutsideOutage));
    row("- in the outage", success(Part::InOutage));

    for (name, quantile) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("p99.9", 0.999)] {
        let millis = |run: &Histogram<u64>| run.value_at_quantile(quantile) as f64 / 1_000.0;
        row(name, latencies.each_ref().map(|run| format!("{:.1} ms", millis(run))));
    }

    let calls = |part| [bare, guarded].map(|run| format!("{:.2}", run.calls_per_request(part)));
    row("calls sent per request", calls(Part::Whole));
    row("- outside of the outage", calls(Part::OutsideOutage));
    row("- in the outage", calls(Part::InOutage));

    let mut only_recourse = |what, value| row(what, ["-".to_owned(), value]);
    only_recourse("hedges won, lost", format!("{}, {}", seen.hedges_won, seen.hedges_lost));
    only_recourse("answers after a Retry-After", seen.waited_as_asked.to_string());
    only_recourse("retries denied by the budget", seen.retries_denied.to_string());
    only_recourse("breaker transitions", seen.breaker_transitions.to_string());
    only_recourse("- opened, probed", format!("{}, {}", seen.breaker_opened, seen.breaker_probed));
    only_recourse(
        "- opened again, closed",
        format!("{}, {}", seen.breaker_opened_again, seen.breaker_closed),
    );

    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "A retried call:\n\n{}", self.retried)?;
        writeln!(f, "\nA call that its hedge won:\n\n{}\n", self.hedged)?;
        writeln!(
            f,
            "{REQUESTS} requests either way, {PER_SECOND} per second, to a service with the same trouble."
        )?;
        writeln!(
            f,
            "Latencies are those of answered requests, retries and waits included. A wait that the service asked for\n\
             (Retry-After) makes a request slow and answered, where the bare one is quick and failed.\n\n{}",
            self.table
        )?;
        write!(f, "\nTo write such a policy yourself, read docs/guide/getting-started.md next.")
    }
}
