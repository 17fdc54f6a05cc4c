//! The kept inputs keep every promise, with no fuzzer at hand.

use recourse_fuzz::TARGETS;
use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// What the kept inputs may weigh together.
const MOST_BYTES: u64 = 200_000;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// What a folder holds, by name.
fn inside(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn every_kept_input_keeps_the_promises() {
    let mut broken = Vec::new();
    for (name, check) in TARGETS {
        for path in inside(&corpus().join(name)) {
            let input = fs::read(&path).unwrap();
            if catch_unwind(AssertUnwindSafe(|| check(&input))).is_err() {
                broken.push(path);
            }
        }
    }
    assert!(broken.is_empty(), "what each breaks stands above: {broken:#?}");
}

#[test]
fn each_target_has_its_inputs_and_its_program() {
    let names: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let stems = |folder: &Path| -> BTreeSet<String> {
        inside(folder).iter().map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect()
    };
    assert_eq!(stems(&corpus()), names);
    assert_eq!(stems(&corpus().with_file_name("fuzz_targets")), names);
    for name in &names {
        assert!(!inside(&corpus().join(name)).is_empty(), "{name} has no inputs");
    }
}

#[test]
fn the_kept_inputs_are_few() {
    let files = TARGETS.iter().flat_map(|(name, _)| inside(&corpus().join(name)));
    let bytes: u64 = files.map(|path| fs::metadata(path).unwrap().len()).sum();
    assert!(bytes <= MOST_BYTES, "{bytes} bytes; cargo fuzz cmin keeps what reaches something of its own");
}
