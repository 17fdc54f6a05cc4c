//! On tokio, with its own timer. `cargo run -p recourse --example on_tokio --features tokio`
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use recourse::{Executor, Policy, TokioSleeper};
use std::io;

async fn work(executor: Executor) -> Result<u32, recourse::Error<io::Error>> {
    let busy = |attempt: recourse::Attempt| async move {
        if attempt.index() < 2 { Err(io::Error::other("busy")) } else { Ok(attempt.index() + 1) }
    };
    executor.run("inventory.Count", busy).await
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let executor = Executor::builder().sleeper(TokioSleeper).default_policy(Policy::new()).build()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let attempts = runtime.block_on(work(executor))?;
    println!("counted at attempt {attempts}, on tokio");
    Ok(())
}
