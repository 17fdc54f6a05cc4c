//! A program that makes one call by the default policy, on a poll loop of its own.

use std::future::Future;
use std::pin::pin;
use std::process::ExitCode;
use std::task::{Context, Poll, Waker};

fn main() -> ExitCode {
    let mut call = pin!(recourse::run("size.Call", async |_| Ok::<_, std::io::Error>(())));
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(result) = call.as_mut().poll(&mut cx) {
            return if result.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
    }
}
