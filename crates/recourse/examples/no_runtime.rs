//! No runtime at all: the default sleeper works on every executor. `cargo run -p recourse --example no_runtime`
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use recourse::Executor;
use std::io;

async fn work(executor: Executor) -> Result<u32, recourse::Error<io::Error>> {
    let busy = |attempt: recourse::Attempt| async move {
        if attempt.index() < 2 { Err(io::Error::other("busy")) } else { Ok(attempt.index() + 1) }
    };
    executor.run("inventory.Count", busy).await
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let executor = Executor::builder().default_policy(recourse::Policy::new()).build()?;
    let attempts = futures::executor::block_on(work(executor))?;
    println!("counted at attempt {attempts}, without a runtime");
    Ok(())
}
