//! A program of `docs/guide/getting-started.md`, word for word, up to its test.

use recourse::{Executor, HttpFailure, Policy, StopReason, budget::TokenBucket};
use std::time::Duration;

async fn get_user(id: u32) -> Result<String, HttpFailure> {
    Err(HttpFailure::new(404, "GET").caused_by(format!("no user {id}")))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let executor = Executor::builder()
        .budget("retries", TokenBucket::new(100, 50.0)?)
        .policy("user-service.GetUser", Policy::http().retry_budget("retries"))
        .policy("search.Query", Policy::low_latency().circuit(5, Duration::from_secs(10)))
        .build()?;

    let error =
        futures::executor::block_on(executor.run("user-service.GetUser", |_| get_user(7))).unwrap_err();
    assert_eq!((error.stop_reason(), error.attempts()), (StopReason::NonRetryable, 1));
    assert_eq!(error.outcome_reason(), "http_non_retryable_status");
    println!("{error}");
    Ok(())
}

#[test]
fn it_prints_what_its_page_says() {
    crate::it_prints("docs/guide/getting-started.md", file!(), || main().unwrap());
}
