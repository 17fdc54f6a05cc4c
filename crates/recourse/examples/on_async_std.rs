//! On async-std, with its own timer. `cargo run -p recourse --example on_async_std --features async-std`
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use recourse::{AsyncStdSleeper, Executor, Policy};
use std::io;

async fn work(executor: Executor) -> Result<u32, recourse::Error<io::Error>> {
    let busy = |attempt: recourse::Attempt| async move {
        if attempt.index() < 2 { Err(io::Error::other("busy")) } else { Ok(attempt.index() + 1) }
    };
    executor.run("inventory.Count", busy).await
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let executor = Executor::builder().sleeper(AsyncStdSleeper).default_policy(Policy::new()).build()?;
    let attempts = async_std::task::block_on(work(executor))?;
    println!("counted at attempt {attempts}, on async-std");
    Ok(())
}
