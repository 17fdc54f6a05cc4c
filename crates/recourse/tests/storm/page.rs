//! The table of `docs/concepts/budgets.md`.

use crate::rows::Row;
use crate::storm::Outcome;
use std::path::Path;

const PAGE: &str = "docs/concepts/budgets.md";
const BEGIN: &str = "<!-- storm: begin -->\n";
const END: &str = "<!-- storm: end -->";
const WRITE: &str = "RECOURSE_STORM_WRITE";

pub(crate) fn table(storms: &[(Row, Outcome)]) -> String {
    let mut table =
        "| callers | attempts a call | load at its peak | recovered after | calls that failed |\n\
                     |---|---|---|---|---|\n"
            .to_owned();
    for (row, outcome) in storms {
        let recovered = outcome.recovered.map_or("never".to_owned(), |seconds| format!("{seconds} s"));
        let failed = if outcome.recovered.is_some() { thousands(outcome.failed) } else { "-".to_owned() };
        table += &format!(
            "| {} | {:.2} | {:.0} a second | {recovered} | {failed} |\n",
            row.name, outcome.attempts_a_call, outcome.peak
        );
    }
    table
}

fn thousands(number: u32) -> String {
    match number / 1_000 {
        0 => number.to_string(),
        thousands => format!("{thousands},{:03}", number % 1_000),
    }
}

pub(crate) fn compare_or_write(table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(PAGE);
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (shown, after) = rest.split_once(END).unwrap();
    if std::env::var(WRITE).is_ok_and(|write| write == "1") {
        std::fs::write(path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
        return;
    }
    assert!(
        shown == table,
        "{PAGE} is stale; with {WRITE}=1 this test writes it. It shows:\n\n{shown}\nand should show:\n\n{table}"
    );
}
