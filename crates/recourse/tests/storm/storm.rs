//! One storm: warm-up, outage, and what comes after.

use crate::callers::{Counts, call_steadily, this_second};
use crate::rows::Row;
use crate::service::Service;
use crate::town::Town;
use recourse::Executor;
use recourse_test::SeededRandom;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

pub(crate) const OUTAGE_FROM: Duration = Duration::from_secs(10);
pub(crate) const OUTAGE_UNTIL: Duration = Duration::from_secs(20);

/// A call of three attempts has ended by then.
const SETTLED: usize = 8;

/// Good seconds in a row that are a recovery.
const GOOD_FOR: usize = 10;

/// It is given up so many seconds after the outage, in any case.
const LONGEST: usize = 300;

const KEY: &str = "storm.Call";

/// What became of it.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// Seconds from the outage's end to the first good one; `None` for never.
    pub(crate) recovered: Option<usize>,
    /// Attempts sent for each call, of the whole run.
    pub(crate) attempts_a_call: f64,
    /// The same at its worst moment, counted from the start.
    pub(crate) most_attempts_a_call: f64,
    /// Attempts a second, in the worst ten seconds.
    pub(crate) peak: f64,
    /// Calls that failed, from the outage's start to the recovery.
    pub(crate) failed: u32,
}

pub(crate) fn run(row: &Row, seed: u64) -> Outcome {
    let town = Town::default();
    let builder = Executor::builder().clock(town.time.clone()).sleeper(town.time.clone()).seed(seed);
    let executor = (row.equip)(builder).policy(KEY, (row.policy)()).build().unwrap();
    let service = Service::open(&town, seed);
    let (counts, verdict) = (Rc::new(RefCell::new(Counts::default())), Rc::new(RefCell::new(None)));
    let handle = executor.handle(KEY).unwrap();
    let random = SeededRandom::new(seed);
    town.spawn(call_steadily(town.clone(), service.clone(), handle, counts.clone(), random));
    town.spawn(watch(town.clone(), service, counts.clone(), verdict.clone()));
    town.run();
    let (counts, recovered) = (counts.borrow(), verdict.borrow().unwrap());
    let start = OUTAGE_FROM.as_secs() as usize;
    let until =
        recovered.map_or(counts.calls.len() - SETTLED, |after| after + OUTAGE_UNTIL.as_secs() as usize);
    let failed = (start..until).map(|second| counts.calls[second] - succeeded(&counts, second)).sum();
    Outcome {
        recovered,
        attempts_a_call: counts.attempts_a_call(),
        most_attempts_a_call: counts.most_attempts_a_call,
        peak: counts
            .attempts
            .windows(10)
            .map(|ten| f64::from(ten.iter().sum::<u32>()) / 10.0)
            .fold(0.0, f64::max),
        failed,
    }
}

fn succeeded(counts: &Counts, second: usize) -> u32 {
    counts.succeeded.get(second).copied().unwrap_or(0)
}

/// Ends the storm when the service has recovered, or won't.
async fn watch(
    town: Town,
    service: Rc<Service>,
    counts: Rc<RefCell<Counts>>,
    verdict: Rc<RefCell<Option<Option<usize>>>>,
) {
    let outage_end = OUTAGE_UNTIL.as_secs() as usize;
    let (mut backlogs, mut good) = (Vec::new(), 0);
    town.time.wait(OUTAGE_UNTIL + Duration::from_secs(SETTLED as u64)).await;
    loop {
        town.time.wait(Duration::from_secs(1)).await;
        let after = this_second(&town) - outage_end - SETTLED - 1;
        backlogs.push(service.backlog());
        let counts = counts.borrow();
        let second = outage_end + after;
        let is_good = succeeded(&counts, second) * 100 >= counts.calls[second] * 99;
        good = if is_good { good + 1 } else { 0 };
        let found = if good == GOOD_FOR {
            Some(Some(after + 1 - GOOD_FOR))
        } else if after >= 60 - SETTLED && is_hopeless(&backlogs) || after >= LONGEST {
            Some(None)
        } else {
            None
        };
        if found.is_some() {
            *verdict.borrow_mut() = found;
            return town.end();
        }
    }
}

/// The queue is longer than twenty seconds before, and longer than callers wait.
fn is_hopeless(backlogs: &[usize]) -> bool {
    let before = backlogs[backlogs.len() - 21];
    backlogs.last().is_some_and(|now| *now > before && before > 600)
}
