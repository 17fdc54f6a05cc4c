//! Time: no test sleeps, and one folder alone reads the system's clock.

use crate::repo::File;
use crate::rust_code::mentions;
use anyhow::{Context, Result};

/// The one place that may ask the operating system what time it is.
const RUNTIME: &str = "crates/recourse/src/runtime/";

const CLOCKS: &[[&str; 2]] = &[["Instant", "now"], ["SystemTime", "now"]];

const SLEEPS: &[[&str; 2]] = &[
    ["thread", "sleep"],
    ["thread", "park_timeout"],
    ["time", "sleep"],
    ["time", "sleep_until"],
    ["task", "sleep"],
    ["Timer", "after"],
];

pub(super) fn find(files: &[File]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.is("rs")) {
        let path = &file.path;
        let mentions = mentions(&file.text).with_context(|| path.clone())?;
        for mention in mentions {
            let place = format!("{path}:{}", mention.line);
            let name = mention.segments.join("::");
            if ends_with_any(&mention.segments, CLOCKS) && !may_read_the_clock(path) {
                found.push(format!("{place}: {name} outside of {RUNTIME}"));
            }
            if ends_with_any(&mention.segments, SLEEPS) && (mention.in_test || is_test(path)) {
                found.push(format!("{place}: {name} in a test; use virtual time"));
            }
        }
    }
    Ok(found)
}

fn ends_with_any(segments: &[String], pairs: &[[&str; 2]]) -> bool {
    let last = segments.last_chunk::<2>();
    last.is_some_and(|[a, b]| pairs.iter().any(|[x, y]| a == x && b == y))
}

fn may_read_the_clock(path: &str) -> bool {
    path.starts_with(RUNTIME)
        || path.starts_with("xtask/")
        || path.split('/').any(|part| ["examples", "benches"].contains(&part))
}

fn is_test(path: &str) -> bool {
    path.split('/').any(|part| part == "tests") || path.ends_with("/tests.rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        let file = File { path: path.to_owned(), text: text.to_owned() };
        find(&[file]).unwrap().len()
    }

    #[test]
    fn the_clock_is_read_in_one_folder_alone() {
        let text = "fn f() { std::time::Instant::now(); } // SystemTime::now()";
        assert_eq!(found("crates/recourse-core/src/time.rs", text), 1);
        assert_eq!(found("crates/recourse/tests/a.rs", text), 1);
        for path in
            ["crates/recourse/src/runtime/clock.rs", "crates/recourse/examples/a.rs", "xtask/src/ci.rs"]
        {
            assert_eq!(found(path, text), 0, "{path}");
        }
    }

    #[test]
    fn a_sleep_is_found_in_tests_alone_also_behind_a_use() {
        let text = "use tokio::time::sleep;";
        assert_eq!(found("crates/recourse/tests/a.rs", text), 1);
        assert_eq!(found("crates/recourse/src/runtime/tokio.rs", text), 0);
        let inside =
            "fn f() { std::thread::sleep(d); } #[cfg(test)] mod tests { fn t() { std::thread::sleep(d); } }";
        assert_eq!(found("crates/recourse/src/a.rs", inside), 1);
    }
}
