//! No set-up at all: the process-wide executor, and `?` into an enum with one `#[from]`.
//! `cargo run -p recourse --example no_setup`
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::io;

#[derive(Debug, thiserror::Error)]
enum AppError {
    #[error("no settings")]
    Settings(#[from] recourse::Error<io::Error>),
}

async fn load(attempt: u32) -> io::Result<&'static str> {
    if attempt < 2 { Err(io::Error::other("the disk is busy")) } else { Ok("colour = blue") }
}

async fn settings() -> Result<&'static str, AppError> {
    Ok(recourse::run("settings.Load", |attempt| load(attempt.index())).await?)
}

#[tokio::main]
async fn main() -> Result<(), AppError> {
    println!("{}", settings().await?);
    Ok(())
}
