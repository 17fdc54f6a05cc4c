//! Through the facade: a budget, a policy, a call. `cargo run -p recourse --example facade`
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use recourse::budget::TokenBucket;
use recourse::{Executor, HttpFailure, Policy};
use std::sync::atomic::{AtomicU32, Ordering};

/// A service that is busy twice, and then answers.
#[derive(Default)]
struct Client(AtomicU32);

impl Client {
    async fn get_user(&self, id: u64) -> Result<String, HttpFailure> {
        match self.0.fetch_add(1, Ordering::Relaxed) {
            0 | 1 => Err(HttpFailure::new(503, "GET")),
            _ => Ok(format!("user {id}: Ada")),
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, id) = (Client::default(), 7);

    let executor = Executor::builder()
        .budget("retries", TokenBucket::new(100, 50.0)?) // 100 tokens, 50 per second
        .policy("user-service.GetUser", Policy::http().max_attempts(4).retry_budget("retries"))
        .build()?; // clashes, bad values, names that nothing is registered under: an error here
    let user = executor.run("user-service.GetUser", |_| client.get_user(id)).await?;

    println!("{user}, after {} requests", client.0.load(Ordering::Relaxed));
    Ok(())
}
