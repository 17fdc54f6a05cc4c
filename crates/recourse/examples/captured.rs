//! A call with what happened, drawn on a time axis. `cargo run -p recourse --example captured`
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use recourse::{Attempt, Executor, HttpFailure, Policy};
use std::time::Duration;

/// A service whose first answer is an error, whose second is slow, and whose third is quick.
async fn get_user_with(attempt: Attempt, id: u64) -> Result<String, HttpFailure> {
    let slow = attempt.index() == 1 && !attempt.is_hedge();
    tokio::time::sleep(Duration::from_millis(if slow { 500 } else { 10 })).await;
    match attempt.index() {
        0 => Err(HttpFailure::new(503, "GET")),
        _ => Ok(format!("user {id}: Ada")),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let policy = Policy::http().hedge_after(Duration::from_millis(40)).id("reads");
    let executor = Executor::builder().policy("user-service.GetUser", policy).build()?;

    let (result, timeline) =
        executor.call("user-service.GetUser").run_captured(|attempt| get_user_with(attempt, 7)).await;

    println!("{timeline}\n\n{}", result?);
    Ok(())
}
