//! [`foreign_stores`]: what is stored outside of a thread's own memory, counted in a trace that valgrind's lackey writes.

use std::io::{self, BufRead};
use std::ops::Range;

/// What lackey has to be told so that its trace is one that [`foreign_stores`] reads.
pub const TRACING: &str = "--trace-mem=yes";

/// What the traced program tells begins so, in a line of its own between those of the trace.
pub const TOLD: &str = "stores: ";

/// Begins what the program tells of its thread's own memory: ranges follow, such as ` 1ffeffe000-1fff001000`.
pub const OWN: &str = "own";

/// What a trace has said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// What the program has told, and how many stores fell on memory that is not its thread's own before it told the next.
    /// A read-modify-write is one, and what is stored in part outside of a range is outside.
    pub stretches: Vec<(String, u64)>,
    /// What is neither of the trace nor told for it, such as why the program has failed.
    pub rest: String,
}

/// Counts the stores between any two things that the program tells.
///
/// # Errors
///
/// If the trace can't be read.
pub fn foreign_stores(mut trace: impl BufRead) -> io::Result<Found> {
    let mut found = Found::default();
    let mut own = Vec::new();
    let mut line = Vec::new();
    while trace.read_until(b'\n', &mut line)? > 0 {
        // Instructions and loads are most of it.
        if !line.starts_with(b"I ") && !line.starts_with(b" L") {
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end();
            if let Some(store) = store(text) {
                if let Some((_, stores)) = found.stretches.last_mut() {
                    let is_in = |own: &Range<u64>| own.start <= store.start && store.end <= own.end;
                    *stores += u64::from(!own.iter().any(is_in));
                }
            } else if let Some(told) = text.strip_prefix(TOLD) {
                if let Some(ranges) = told.strip_prefix(OWN) {
                    own = ranges.split_whitespace().filter_map(range).collect();
                }
                found.stretches.push((told.to_owned(), 0));
            } else if !text.starts_with("==") {
                found.rest += text;
                found.rest.push('\n');
            }
        }
        line.clear();
    }
    Ok(found)
}

/// The addresses that a line says are stored to: ` S 1fff0006c8,8`, or ` M` where they are read before.
fn store(line: &str) -> Option<Range<u64>> {
    let (at, size) = line.strip_prefix(" S ").or_else(|| line.strip_prefix(" M "))?.split_once(',')?;
    let (at, size) = (address(at)?, size.parse::<u64>().ok()?);
    Some(at..at + size)
}

/// The addresses of a range, as [`OWN`] and the kernel's list of mappings show it.
pub fn range(text: &str) -> Option<Range<u64>> {
    let (start, end) = text.split_once('-')?;
    Some(address(start)?..address(end)?)
}

fn address(text: &str) -> Option<u64> {
    u64::from_str_radix(text, 16).ok()
}
