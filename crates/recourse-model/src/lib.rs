//! Runs a model check: `check` in every order of its threads' steps, and says how many there were.
#![cfg(recourse_loom)]
#![allow(clippy::print_stdout, reason = "what was explored stands in the tests' output")]

use loom::model::Builder;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Runs `check` in every order.
///
/// # Panics
///
/// Where `check` does, and if there was one order only: then nothing is proved.
pub fn explore(check: impl Fn() + Send + Sync + 'static) {
    run(&Builder::new(), check);
}

/// Runs `check` in every order with so many preemptions at most: a thread that waits or ends is followed by any other,
/// and one that could go on is interrupted that often. For what would take minutes in full.
///
/// # Panics
///
/// As [`explore`] does.
pub fn explore_up_to(preemptions: usize, check: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    // What `LOOM_MAX_PREEMPTIONS` says goes first, also where it is more.
    builder.preemption_bound = builder.preemption_bound.or(Some(preemptions));
    run(&builder, check);
}

fn run(builder: &Builder, check: impl Fn() + Send + Sync + 'static) {
    // The standard library's: its steps are none of the model's.
    let executions = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&executions);
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        check();
    });
    let executions = executions.load(Ordering::Relaxed);
    let bound = builder.preemption_bound.map(|most| format!(", {most} preemptions at most"));
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("model");
    println!("explored {name}: {executions} executions{}", bound.unwrap_or_default());
    assert!(executions > 1, "one order only: the threads share no step");
}
