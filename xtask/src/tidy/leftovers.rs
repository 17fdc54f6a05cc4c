//! Notes to oneself, traces of debugging, and ignored tests.

use crate::repo::File;

/// Marks that may stand only beside an issue's number. In halves, so that this file passes its own check.
const MARKS: &[&str] =
    &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("#[ign", "ore")];

/// Macros that may not stand at all.
const MACROS: &[&str] = &[concat!("to", "do!"), concat!("unimple", "mented!"), concat!("db", "g!")];

const KINDS: &[&str] = &["rs", "toml", "sh", "yml", "yaml"];

pub(super) fn find(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| KINDS.iter().any(|kind| file.is(kind))) {
        for (at, line) in file.text.lines().enumerate() {
            let place = format!("{}:{}", file.path, at + 1);
            if let Some(mark) = MARKS.iter().find(|mark| has_word(line, mark))
                && !names_an_issue(line)
            {
                found.push(format!("{place}: {mark} without an issue's number"));
            }
            if let Some(name) = MACROS.iter().find(|name| has_word(line, name)) {
                found.push(format!("{place}: {name} is left over"));
            }
        }
    }
    found
}

/// Whether the word stands there on its own, not as a part of a longer one.
fn has_word(line: &str, word: &str) -> bool {
    let part_of_word =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let bytes = line.as_bytes();
    line.match_indices(word).any(|(at, _)| {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        !part_of_word(before) && (word.ends_with('!') || !part_of_word(bytes.get(at + word.len())))
    })
}

/// Whether `#` and digits stand in the line.
fn names_an_issue(line: &str) -> bool {
    line.as_bytes().windows(2).any(|pair| pair[0] == b'#' && pair[1].is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> usize {
        find(&[File { path: "crates/a/src/lib.rs".to_owned(), text: text.to_owned() }]).len()
    }

    #[test]
    fn a_mark_needs_an_issue_and_a_macro_may_not_stay() {
        for mark in MARKS {
            assert_eq!(found(&format!("// {mark}: later")), 1, "{mark}");
            assert_eq!(found(&format!("{mark} // #12: later")), 0, "{mark}");
            assert_eq!(found(&format!("let A{mark}B = 1;")), 0, "{mark}");
        }
        for name in MACROS {
            assert_eq!(found(&format!("    {name}(x) // #12")), 1, "{name}");
        }
        assert_eq!(found("let todos = 1; // a mastodo"), 0);
    }
}
