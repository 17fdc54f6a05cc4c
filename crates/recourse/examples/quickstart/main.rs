//! The quickstart: one load, sent twice to an HTTP service that misbehaves; first bare, then through recourse.
//!
//! `cargo run -p recourse --example quickstart` takes about 15 seconds. This file is what a caller writes; the rest is
//! `client.rs` and `retry_after.rs` (how a failed call becomes an error that recourse can judge), `tally.rs` (an observer),
//! `service.rs` and `trouble.rs` (the service, and what goes wrong in it), `load.rs`, `progress.rs` and `report.rs` (send,
//! wait, tell).

mod client;
mod load;
mod progress;
mod report;
mod retry_after;
mod service;
mod tally;
mod trouble;

use crate::client::Client;
use crate::report::Report;
use crate::service::Service;
use crate::tally::Tally;
use anyhow::Context;
use recourse::budget::TokenBucket;
use recourse::{Executor, Key, Policy};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

/// The name of the call site: policy, breaker, latencies and timelines all go by it.
const GET_USER: Key = Key::from_static("user-service.GetUser");

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let service = Service::listen().await?;
    tokio::select! {
        stopped = service.serve() => stopped,
        compared = compare(&service) => compared,
    }
}

/// Sends the load both ways and prints what came of it.
async fn compare(service: &Service) -> anyhow::Result<()> {
    let client = Client::new(service.address());
    client.health().await.with_context(|| format!("no service answers at {}", service.address()))?;

    let bare = load::run("bare", service, |user| {
        let client = client.clone();
        async move { client.get_user(user).await.is_ok() }
    })
    .await?;

    let tally = Arc::new(Tally::default());
    let executor = executor(tally.clone())?;
    let guarded = load::run("recourse", service, |user| {
        let (executor, client) = (executor.clone(), client.clone());
        async move { executor.run(GET_USER, |_| client.get_user(user)).await.is_ok() }
    })
    .await?;

    let report = Report::new(&bare, &guarded, &tally)?;
    writeln!(std::io::stdout(), "{report}").context("the report can't be printed")
}

/// An executor with all that the policy names. What it doesn't know would be an error here, not at the first call.
fn executor(tally: Arc<Tally>) -> anyhow::Result<Executor> {
    let executor = Executor::builder()
        .policy(GET_USER, policy())
        .budget("retries", TokenBucket::new(20, 30.0)?) // 20 tokens, 30 more per second
        .budget("hedges", TokenBucket::new(20, 30.0)?)
        .observer(tally)
        .build()?;
    Ok(executor)
}

/// How to call a service that answers within milliseconds, 300 times a second.
fn policy() -> Policy {
    let ms = Duration::from_millis;
    Policy::http() // 5xx and lost connections are worth another attempt, and `Retry-After` is obeyed
        .max_attempts(4)
        .backoff(ms(10), ms(100)) // doubling, with full jitter
        .timeout_per_attempt(ms(400))
        .overall_timeout(ms(2_000)) // waits included
        .retry_budget("retries") // a few retries cure a blip; a storm of them prolongs an outage
        .hedge_trigger("p95") // slower than 95 in 100 recent calls: send it a second time
        .max_hedges(1)
        .hedge_budget("hedges")
        .circuit(60, ms(100)) // 60 failed attempts in a row: stop calling, and look again every 100 ms
}
