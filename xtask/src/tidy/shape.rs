//! The shape of a Rust file: how it opens, how long it is, what it is called.

use crate::repo::File;

const MOST_LINES: usize = 400;

/// Names that say nothing about what lives there.
const EMPTY_NAMES: &[&str] = &["util", "utils", "common", "helper", "helpers", "misc"];

pub(super) fn find(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.is("rs")) {
        let path = &file.path;
        if !file.text.starts_with("//!") {
            found.push(format!("{path}:1: opens without //!, which says what lives here"));
        }
        let lines = lines_without_tests(&file.text);
        if !is_test_or_bench(path) && lines > MOST_LINES {
            found.push(format!("{path}: {lines} lines without its tests; at most {MOST_LINES}"));
        }
        let names = path.trim_end_matches(".rs").split('/');
        if let Some(name) = names.into_iter().find(|name| EMPTY_NAMES.contains(name)) {
            found.push(format!("{path}: {name:?} doesn't say what lives there"));
        }
    }
    found
}

/// The lines before the test module.
fn lines_without_tests(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    lines
        .windows(2)
        .position(|pair| {
            pair[0].trim() == "#[cfg(test)]"
                && pair[1].trim_start().starts_with("mod ")
                && pair[1].contains('{')
        })
        .unwrap_or(lines.len())
}

fn is_test_or_bench(path: &str) -> bool {
    path.split('/').any(|part| ["tests", "benches"].contains(&part)) || path.ends_with("/tests.rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        find(&[File { path: path.to_owned(), text: text.to_owned() }])
    }

    #[test]
    fn a_file_needs_an_opening_a_name_and_an_end() {
        assert!(found("crates/a/src/token.rs", "//! Tokens.\n")[..].is_empty());
        assert_eq!(found("crates/a/src/token.rs", "use a;\n").len(), 1);
        assert_eq!(found("crates/a/src/utils/mod.rs", "//! Things.\n").len(), 1);
        let long = "//! Long.\n".repeat(401);
        assert_eq!(found("crates/a/src/long.rs", &long).len(), 1);
        assert!(found("crates/a/tests/long.rs", &long)[..].is_empty());
    }

    #[test]
    fn the_test_module_is_not_counted() {
        let text = "//! A.\n\n#[cfg(test)]\nmod tests {\n}\n";
        assert_eq!(lines_without_tests(text), 2);
        assert_eq!(lines_without_tests("#[cfg(test)]\nuse a;\nb\n"), 3);
    }
}
