//! [`run`]: sends the load at its own pace, whatever the service does, and measures what the callers see.

use crate::progress::Progress;
use crate::service::Service;
use crate::trouble::OUTAGE;
use anyhow::Context;
use hdrhistogram::Histogram;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

pub(crate) const REQUESTS: u32 = 2_100;
pub(crate) const PER_SECOND: u32 = 300;

/// What became of a load.
pub(crate) struct Run {
    requests: Vec<Request>,
}

/// One request, however many calls were sent for it.
struct Request {
    user: u32,
    /// After the load's start.
    due: Duration,
    took: Duration,
    answered: bool,
    calls: u32,
}

/// Requests of a load, by when they were due.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Part {
    Whole,
    OutsideOutage,
    InOutage,
}

/// Sends one request for each user: an open loop, in which a slow answer doesn't hold up the next request.
pub(crate) async fn run<F, Fut>(title: &'static str, service: &Service, send: F) -> anyhow::Result<Run>
where
    F: Fn(u32) -> Fut,
    Fut: Future<Output = bool> + Send + 'static,
{
    let progress = Progress::start(title, REQUESTS)?;
    service.begin_day();
    let start = Instant::now();
    let mut sent = JoinSet::new();
    for user in 0..REQUESTS {
        let due = Duration::from_secs(user.into()) / PER_SECOND;
        sleep_until(start + due).await;
        let answer = send(user);
        sent.spawn(async move {
            let answered = answer.await;
            // From when the request was due: the time for which it had to wait to be sent counts.
            let took = (start + due).elapsed();
            Request { user, due, took, answered, calls: 0 }
        });
        progress.sent_one();
    }
    let mut requests = Vec::new();
    while let Some(request) = sent.join_next().await {
        requests.push(request.context("a request panicked")?);
    }
    progress.finish();
    // Counted where they arrive.
    let calls = service.calls();
    for request in &mut requests {
        request.calls = calls.get(&request.user).copied().unwrap_or(0);
    }
    Ok(Run { requests })
}

impl Run {
    /// How many of the requests were answered, from 0 to 1.
    pub(crate) fn success_rate(&self, part: Part) -> f64 {
        self.mean(part, |request| f64::from(u8::from(request.answered)))
    }

    /// Calls that the service got, for each request.
    pub(crate) fn calls_per_request(&self, part: Part) -> f64 {
        self.mean(part, |request| f64::from(request.calls))
    }

    /// How long the answered requests took, in microseconds.
    pub(crate) fn latencies(&self) -> anyhow::Result<Histogram<u64>> {
        let mut latencies = Histogram::new(3)?;
        for request in self.requests.iter().filter(|request| request.answered) {
            latencies.record(u64::try_from(request.took.as_micros())?)?;
        }
        Ok(latencies)
    }

    fn mean(&self, part: Part, value: impl Fn(&Request) -> f64) -> f64 {
        let of_part = |request: &&Request| match part {
            Part::Whole => true,
            Part::OutsideOutage => !OUTAGE.contains(&request.due),
            Part::InOutage => OUTAGE.contains(&request.due),
        };
        let values: Vec<f64> = self.requests.iter().filter(of_part).map(value).collect();
        values.iter().sum::<f64>() / values.len() as f64
    }
}
