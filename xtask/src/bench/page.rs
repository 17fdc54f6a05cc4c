//! The page: its head, its sections in their order, and the notes written by hand at its end.

use crate::bench::figures::{Catalogue, Report};
use crate::bench::judge::{Figure, tally};
use crate::bench::{call_tables, markdown, spent, tables};

/// The page of a run; `notes` ends it.
pub(super) fn page(report: &Report, catalogue: &Catalogue, notes: &str) -> String {
    let mut page = head(report);
    let mut section = |title: &str, about: &str, table: String| {
        page += &format!("\n## {title}\n\n{about}\n\n{table}");
    };
    section("One call", ONE_CALL, call_tables::calls(catalogue, &report.calls));
    section("What the machine charges", FLOORS, call_tables::floors(catalogue, &report.calls));
    section("Where the instructions go", SPENT, spent::tables(&report.spent, &report.calls));
    section("Threads that share a policy", THREADS, tables::threads(report));
    section("What a call writes that threads could share", STORES, call_tables::stores(&report.calls));
    section("Memory of a key", MEMORY, tables::memory(report));
    section("Size of a call's future", FUTURES, tables::futures(report));
    section("Other profiles", PROFILES, call_tables::profiles(report));
    section("Weight", WEIGHT, tables::weight(report));
    section("What each contestant does", CONTESTANTS, tables::contestants(catalogue));
    section("Every figure", EVERYTHING, call_tables::everything(&report.calls));
    page + "\n" + notes.trim() + "\n"
}

fn head(report: &Report) -> String {
    let machine = &report.machine;
    let (timer, peers): (Vec<_>, Vec<_>) = machine.versions.iter().partition(|(name, _)| *name == "tokio");
    let versions = |of: Vec<(&String, &String)>| {
        let texts: Vec<String> = of.iter().map(|(name, version)| format!("{name} {version}")).collect();
        texts.join(", ")
    };
    let rows = [
        ["date".to_owned(), machine.date.clone()],
        ["revision".to_owned(), machine.revision.clone()],
        ["processor".to_owned(), format!("{}, {} cores", machine.processor, machine.cores)],
        ["system".to_owned(), machine.system.clone()],
        ["compiler".to_owned(), format!("{}, {}, default release profile", machine.compiler, machine.host)],
        ["peers and harness".to_owned(), versions(peers)],
        ["timer".to_owned(), versions(timer)],
        ["the run took".to_owned(), format!("{:.0} s, once built", machine.seconds)],
    ];
    let met = |figure: Figure| {
        let (met, of) = tally(&report.calls, figure);
        format!("{met} of {of}")
    };
    format!(
        "# Benchmarks\n\n<!-- Written by `cargo xtask bench`. The notes at the end are benches/notes.md, those on the \
         contestants stand in their sources. -->\n\n{ABOUT}\n\n{}\nGoals of a call that are met: {} by nanoseconds, {} by \
         instructions, {} by allocations.\n",
        markdown::table(["", ""], rows),
        met(Figure::Nanos),
        met(Figure::Instructions),
        met(Figure::Allocations),
    )
}

const ABOUT: &str = "What a call through recourse costs, beside its peers, as measured in one run. Nothing here is a promise: absolute \
    times drift, so compare within a row. To reproduce: `cargo xtask bench`; instructions and stores need \
    `valgrind`. `cargo xtask bench --check` compares instructions, allocations and stores with those behind this page. How the benches are \
    laid out and what makes them fair is written at the top of `benches/src/lib.rs`.";

const ONE_CALL: &str = "A cell is nanoseconds / instructions / allocations of one call: the median of the rounds, counted by callgrind, \
    counted by an allocator. The operation does no work: it is ready at once or at its second poll, and succeeds unless \
    the row says that it fails. Recourse is called by prepared handle unless a key is named. The same duties by hand are what recourse promises in the \
    row, with the same plugins, written for that row alone: a measured floor, and no peer. Peers stand fastest first; \
    what one can't do is left out. A goal is a formula over this run's figures, by prepared handle unless a key is named, \
    and is judged by all that it speaks of: a ratio by nanoseconds and by instructions.";

const FLOORS: &str = "Single steps, whoever takes them. A clock read is cheaper in instructions than in nanoseconds, and dearer on a virtual \
    machine than on a real one.";

const SPENT: &str = "The rows whose goals are missed in this run, by prepared handle: the instructions of a call by the functions that take \
    them, each without what it calls, counted by callgrind. Inlining decides what a function is: it takes what the \
    compiler has put into it too, whoever wrote that. Of the loop that makes the calls, `harness::repeat`, the bench's own \
    is what the bare operation takes; what is beyond that is the beginning and the end of a call, and stands as recourse's. \
    Whose another function is says who wrote it, not who calls it; a drop is that of what is dropped; others are std, libc and \
    other crates. The kernel's part of a clock read is not counted. The goal is the instructions that a row's goal \
    allows, if it speaks of them. What takes less than 3 % of a call, or comes after the tenth, is in the rest.";

const THREADS: &str = "Several threads make calls of one key by one policy. A cell is nanoseconds of a call in its thread / calls of all \
    threads together, both as multiples of one thread's. On two cores, four threads can't make more calls than two: 2.00 / \
    2.00 is then the best. `bare` shares nothing, and shows what the machine itself takes.";

const STORES: &str = "Stores of a call, read-modify-writes among them, on memory that other threads could reach, counted exactly, by one \
    thread, in a trace of valgrind's lackey. What falls on the thread's stack or on its block of the program's thread-local \
    variables is its own, and all else counts. That is an upper bound: it has what a call has boxed for itself, what the \
    allocator notes for it, and what a thread keeps in a box for its next call, such as the parts of an error in \
    `three-fail`. Where there are none, calls write nothing that a call of another thread could wait for. In `keys-100` the \
    bench itself makes one: it writes whose turn it is. Peers stand fewest first.";

const MEMORY: &str =
    "Live bytes after one call of each of 10,000 keys, divided by their number; the key's text is included.";

const FUTURES: &str = "Bytes beyond the operation's own future, by prepared handle. The operation's future stands in the call's once.";

const PROFILES: &str = "Nanoseconds / instructions of a call.";

const WEIGHT: &str = "At the default features.";

const CONTESTANTS: &str = "The operation is the same for all, and nobody sleeps: where attempts fail, the waits between them are ready at once.";

const EVERYTHING: &str = "Nanoseconds are the median of the rounds, with the lowest and the highest. Allocations and bytes are those of one call. \
    The future is bytes of the call's future beyond what the bare operation has there; what a contestant boxes stands \
    under bytes instead.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::figures::Machine;

    #[test]
    fn the_page_has_head_sections_and_the_notes_at_its_end() {
        let versions = [("tokio", "1.54.1"), ("tower", "0.5.3")]
            .map(|(name, version)| (name.to_owned(), version.to_owned()));
        let machine =
            Machine { processor: "P".to_owned(), cores: 2, versions: versions.into(), ..Machine::default() };
        let report = Report { machine, ..Report::default() };
        let page = page(&report, &Catalogue::default(), "\n## Why\n\nBecause.\n\n");
        assert!(page.contains("| processor | P, 2 cores |\n"), "{page}");
        assert!(page.contains("| peers and harness | tower 0.5.3 |\n| timer | tokio 1.54.1 |\n"), "{page}");
        assert!(page.ends_with("\n\n## Why\n\nBecause.\n"), "{page}");
        assert_eq!(page.matches("\n## ").count(), 12);
        assert!(!page.contains("\n\n\n"), "{page}");
    }
}
