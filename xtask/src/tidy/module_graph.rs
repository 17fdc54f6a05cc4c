//! Which file of a crate needs which other, by the paths that it names.
//!
//! A door (`lib.rs`, `main.rs`, `mod.rs`) is looked through: `crate::policy::Jitter` leads to the file that the door
//! re-exports `Jitter` from. A door's own re-exports are no need.

use crate::repo::File;
use crate::rust_code::{Mention, mentions};
use anyhow::{Context, Result};
use std::collections::{BTreeMap, HashMap};

/// How many re-exports of re-exports are followed.
const DEEPEST: usize = 8;

/// One crate's files and what they name.
#[derive(Debug)]
pub(super) struct ModuleGraph<'a> {
    rooms: Vec<Room<'a>>,
    by_module: HashMap<Vec<String>, usize>,
}

#[derive(Debug)]
struct Room<'a> {
    path: &'a str,
    module: Vec<String>,
    is_door: bool,
    mentions: Vec<Mention>,
}

/// The files that each file needs, with the line that says so first.
pub(super) type Needs<'a> = BTreeMap<&'a str, BTreeMap<&'a str, usize>>;

impl<'a> ModuleGraph<'a> {
    /// The graph of the files under `src`, which ends with `/`.
    pub(super) fn read(files: &'a [File], src: &str) -> Result<Self> {
        let mut graph = ModuleGraph { rooms: Vec::new(), by_module: HashMap::new() };
        for file in files.iter().filter(|file| file.is("rs")) {
            let Some(inside) = file.path.strip_prefix(src) else {
                continue;
            };
            let (module, is_door) = module_of(inside);
            graph.by_module.insert(module.clone(), graph.rooms.len());
            graph.rooms.push(Room {
                path: &file.path,
                module,
                is_door,
                mentions: mentions(&file.text).with_context(|| file.path.clone())?,
            });
        }
        Ok(graph)
    }

    /// What each file needs, tests aside.
    pub(super) fn needs(&self) -> Needs<'a> {
        let mut needs = Needs::new();
        for room in &self.rooms {
            for mention in room.mentions.iter().filter(|mention| !mention.in_test) {
                let reexport = mention.import.as_ref().is_some_and(|import| import.reexport);
                if room.is_door && reexport {
                    continue;
                }
                let Some(target) = self.resolve(room, mention, DEEPEST) else {
                    continue;
                };
                let target = self.rooms[target].path;
                if target != room.path {
                    let lines = needs.entry(room.path).or_default();
                    lines.entry(target).or_insert(mention.line);
                }
            }
        }
        needs
    }

    /// The file that a path leads to; none outside of the crate.
    fn resolve(&self, room: &Room<'_>, mention: &Mention, depth: usize) -> Option<usize> {
        let mut here = room.module.clone();
        here.extend(mention.inline_modules.iter().cloned());
        let mut segments = mention.segments.as_slice();
        match segments.first()?.as_str() {
            "crate" => {
                here.clear();
                segments = &segments[1..];
            }
            "self" => segments = &segments[1..],
            "super" => {
                while segments.first().is_some_and(|segment| segment == "super") {
                    here.pop();
                    segments = &segments[1..];
                }
            }
            first => {
                let mut child = here.clone();
                child.push(first.to_owned());
                if mention.import.is_none() || !self.by_module.contains_key(&child) {
                    return None;
                }
            }
        }
        self.descend(here, segments, depth)
    }

    fn descend(&self, mut here: Vec<String>, segments: &[String], depth: usize) -> Option<usize> {
        for segment in segments {
            let mut deeper = here.clone();
            deeper.push(segment.clone());
            if self.by_module.contains_key(&deeper) {
                here = deeper;
                continue;
            }
            let at = self.file_of(&here)?;
            if let Some((_, depth)) = self.rooms[at].is_door.then_some(()).zip(depth.checked_sub(1))
                && let Some(through) = self.through_door(at, segment, depth)
            {
                return Some(through);
            }
            return Some(at);
        }
        self.file_of(&here)
    }

    fn through_door(&self, door: usize, name: &str, depth: usize) -> Option<usize> {
        let door = &self.rooms[door];
        let named = |wanted: &str| {
            door.mentions
                .iter()
                .filter(|mention| mention.import.as_ref().is_some_and(|import| import.name == wanted))
                .find_map(|mention| self.resolve(door, mention, depth))
        };
        named(name).or_else(|| named("*"))
    }

    /// The file of a module, also of one that is written inside a file.
    fn file_of(&self, module: &[String]) -> Option<usize> {
        (0..=module.len()).rev().find_map(|length| self.by_module.get(&module[..length])).copied()
    }
}

/// `policy/limits.rs` is `policy::limits`; `policy/mod.rs` is the door of `policy`.
fn module_of(inside: &str) -> (Vec<String>, bool) {
    let mut module: Vec<String> = inside.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    let is_root = ["lib.rs", "main.rs"].contains(&inside);
    let is_door = is_root || module.last().is_some_and(|last| last == "mod");
    if is_door {
        module.pop();
    }
    (module, is_door)
}
