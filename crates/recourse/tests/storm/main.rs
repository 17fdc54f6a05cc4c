//! The retry storm, in virtual time: a service that is busy and fine stands still for ten seconds. Does it come back, and
//! how much load do its callers add, with each budget and with a breaker?
//!
//! The calls are real ones, through an executor with a real budget or breaker. What is modelled is the other side, and
//! the callers:
//!
//! | | |
//! |---|---|
//! | service | 10 workers, each request takes 33.3 ms on average, exponential: 300 a second. One queue, first come first served, without a limit. It doesn't know when a caller has given up, and works on what nobody waits for |
//! | callers | 280 calls a second at random (Poisson), all through one executor, and so one budget. An attempt times out after 1 s; 3 attempts, backoff from 100 ms to 1 s with full jitter, unless the row says otherwise |
//! | outage | after 10 s all workers stand still for 10 s; requests queue up |
//! | recovered | from that second on, 99 in 100 calls of each of ten seconds in a row succeed |
//! | never | 60 s after the outage more requests are queued than 20 s before, and all of them time out |
//!
//! After N. Bronson et al., "Metastable Failures in Distributed Systems", HotOS 2021, whose example it is.
//!
//! The table in `docs/concepts/budgets.md` is what this test computes. With `RECOURSE_STORM_WRITE=1` the test writes it;
//! otherwise it fails where the page says something else.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod callers;
mod exponential;
mod page;
mod rows;
mod service;
mod storm;
mod town;

use rows::{RATIO, Row};
use storm::Outcome;

const SEED: u64 = 1;

fn all(seed: u64) -> Vec<(Row, Outcome)> {
    let rows = rows::rows();
    std::thread::scope(|scope| {
        let storms: Vec<_> = rows.iter().map(|row| scope.spawn(move || storm::run(row, seed))).collect();
        let outcomes: Vec<Outcome> = storms.into_iter().map(|storm| storm.join().unwrap()).collect();
        rows.iter().cloned().zip(outcomes).collect()
    })
}

#[test]
fn the_page_says_which_budgets_end_a_storm() {
    let storms = all(SEED);
    for (row, outcome) in &storms {
        assert_eq!(outcome.recovered.is_some(), row.recovers, "{}: {outcome:?}", row.name);
    }
    page::compare_or_write(&page::table(&storms));
}

#[test]
fn a_ratio_without_reserve_holds_at_every_moment_of_a_storm() {
    let rows = rows::rows();
    let row = rows.iter().find(|row| row.name == RATIO).unwrap();
    let outcome = storm::run(row, SEED + 1);
    assert!(outcome.most_attempts_a_call <= 1.1, "{outcome:?}");
    assert!(outcome.most_attempts_a_call > 1.08, "nothing was retried: {outcome:?}");
}
