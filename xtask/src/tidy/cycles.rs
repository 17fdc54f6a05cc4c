//! No circle of files inside a crate: each file can be read with the ones that it needs, and there is a first one.

use crate::repo::File;
use crate::tidy::module_graph::{ModuleGraph, Needs};
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub(super) fn find(files: &[File]) -> Result<Vec<String>> {
    let sources: BTreeSet<String> = files
        .iter()
        .filter_map(|file| {
            let folder = file.path.strip_suffix("Cargo.toml")?;
            Some(format!("{folder}src/"))
        })
        .collect();
    let mut found = Vec::new();
    for src in sources {
        let graph = ModuleGraph::read(files, &src)?;
        found.extend(circles(&graph.needs()));
    }
    Ok(found)
}

/// The shortest circle through each file that no reported circle goes through yet.
fn circles(needs: &Needs<'_>) -> Vec<String> {
    let mut reported = BTreeSet::new();
    let mut found = Vec::new();
    for start in needs.keys() {
        if reported.contains(start) {
            continue;
        }
        if let Some(circle) = shortest_circle(needs, start) {
            let mut text = String::from("circle of files:");
            for pair in circle.windows(2) {
                text += &format!(" {}:{} needs", pair[0], needs[pair[0]][pair[1]]);
            }
            found.push(format!("{text} {start}"));
            reported.extend(circle);
        }
    }
    found
}

/// The way from `start` back to `start`, both named.
fn shortest_circle<'a>(needs: &Needs<'a>, start: &'a str) -> Option<Vec<&'a str>> {
    let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(here) = queue.pop_front() {
        for next in needs.get(here).into_iter().flat_map(BTreeMap::keys) {
            if *next == start {
                let mut way = vec![start, here];
                let mut at = here;
                while at != start {
                    at = came_from[at];
                    way.push(at);
                }
                way.reverse();
                return Some(way);
            }
            if !came_from.contains_key(next) {
                came_from.insert(next, here);
                queue.push_back(next);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<File> = files
            .iter()
            .map(|(path, text)| File { path: (*path).to_owned(), text: (*text).to_owned() })
            .collect();
        find(&files).unwrap()
    }

    #[test]
    fn a_circle_is_named_with_the_lines_that_close_it() {
        assert_eq!(
            found(&[
                ("a/Cargo.toml", ""),
                ("a/src/lib.rs", "mod x;\nmod y;"),
                ("a/src/x.rs", "\nuse crate::y::Y;"),
                ("a/src/y.rs", "fn f() { crate::x::g(); }"),
            ]),
            ["circle of files: a/src/x.rs:2 needs a/src/y.rs:1 needs a/src/x.rs"]
        );
    }

    #[test]
    fn a_door_is_looked_through() {
        let door = "mod x;\nmod y;\npub use self::x::X;\npub use y::*;";
        let files = |x: &'static str, y: &'static str| {
            found(&[
                ("a/Cargo.toml", ""),
                ("a/src/lib.rs", "pub mod p;"),
                ("a/src/p/mod.rs", door),
                ("a/src/p/x.rs", x),
                ("a/src/p/y.rs", y),
            ])
        };
        assert!(files("use crate::p::Y;", "pub struct Y;").is_empty());
        assert_eq!(files("use crate::p::Y;", "use super::X;").len(), 1);
    }

    #[test]
    fn tests_and_inline_modules_close_no_circle() {
        assert!(
            found(&[
                ("a/Cargo.toml", ""),
                ("a/src/lib.rs", "mod x;\nmod y;"),
                ("a/src/x.rs", "use crate::y::Y; mod inner { use super::*; }"),
                ("a/src/y.rs", "#[cfg(test)]\nmod tests { use crate::x::X; }"),
            ])
            .is_empty()
        );
    }
}
