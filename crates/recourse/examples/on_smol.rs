//! On smol, with its own timer. `cargo run -p recourse --example on_smol --features smol`
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use recourse::{Executor, Policy, SmolSleeper};
use std::io;

async fn work(executor: Executor) -> Result<u32, recourse::Error<io::Error>> {
    let busy = |attempt: recourse::Attempt| async move {
        if attempt.index() < 2 { Err(io::Error::other("busy")) } else { Ok(attempt.index() + 1) }
    };
    executor.run("inventory.Count", busy).await
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let executor = Executor::builder().sleeper(SmolSleeper).default_policy(Policy::new()).build()?;
    let attempts = smol::block_on(work(executor))?;
    println!("counted at attempt {attempts}, on smol");
    Ok(())
}
