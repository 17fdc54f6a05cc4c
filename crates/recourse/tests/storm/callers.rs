//! The callers: 280 calls a second, and what became of them.

use crate::exponential::exponential;
use crate::service::Service;
use crate::town::Town;
use recourse::Handle;
use recourse_test::SeededRandom;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

const CALLS_A_SECOND: u32 = 280;

/// What happened, second by second. A call counts in the second in which it started, an attempt in its own.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) calls: Vec<u32>,
    pub(crate) succeeded: Vec<u32>,
    pub(crate) attempts: Vec<u32>,
    all_calls: u32,
    all_attempts: u32,
    /// At its worst moment, counted from the start.
    pub(crate) most_attempts_a_call: f64,
}

impl Counts {
    pub(crate) fn attempts_a_call(&self) -> f64 {
        f64::from(self.all_attempts) / f64::from(self.all_calls)
    }

    fn call(&mut self, second: usize) {
        add(&mut self.calls, second);
        self.all_calls += 1;
    }

    fn attempt(&mut self, second: usize) {
        add(&mut self.attempts, second);
        self.all_attempts += 1;
        self.most_attempts_a_call = self.most_attempts_a_call.max(self.attempts_a_call());
    }
}

fn add(seconds: &mut Vec<u32>, second: usize) {
    if seconds.len() <= second {
        seconds.resize(second + 1, 0);
    }
    seconds[second] += 1;
}

/// Calls for ever.
pub(crate) async fn call_steadily(
    town: Town,
    service: Rc<Service>,
    handle: Handle,
    counts: Rc<RefCell<Counts>>,
    mut random: SeededRandom,
) {
    let between = Duration::from_secs(1) / CALLS_A_SECOND;
    loop {
        town.time.wait(exponential(&mut random, between)).await;
        let second = this_second(&town);
        counts.borrow_mut().call(second);
        let (service, handle, counts, clock) =
            (service.clone(), handle.clone(), counts.clone(), town.clone());
        town.spawn(async move {
            let operation = |_| {
                counts.borrow_mut().attempt(this_second(&clock));
                service.ask()
            };
            if handle.run(operation).await.is_ok() {
                add(&mut counts.borrow_mut().succeeded, second);
            }
        });
    }
}

pub(crate) fn this_second(town: &Town) -> usize {
    town.time.elapsed().as_secs() as usize
}
