//! A program of `docs/concepts/classifiers.md`, word for word, up to its test.

use recourse::{Executor, HttpFailure, Policy};
use recourse_test::VirtualTime;
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
enum ClientError {
    #[error("the user service failed")]
    Http(#[from] HttpFailure),
}

fn answer(status: u16, retry_after: Option<u64>) -> ClientError {
    let failure = HttpFailure::new(status, "GET");
    match retry_after {
        Some(secs) => failure.retry_after(Duration::from_secs(secs)).into(),
        None => failure.into(),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let time = VirtualTime::new(); // so that the page needs no three seconds
    let executor = Executor::builder()
        .clock(time.clone())
        .sleeper(time.clone())
        .policy("user-service.GetUser", Policy::http())
        .build()?;
    let call = executor.call("user-service.GetUser").run_captured(async |attempt| match attempt.index() {
        0 => Err(answer(429, Some(3))),
        _ => Err::<(), _>(answer(404, None)),
    });
    let (_, timeline) = time.run(call);
    println!("{timeline}");
    Ok(())
}

#[test]
fn it_prints_what_its_page_says() {
    crate::it_prints("docs/concepts/classifiers.md", file!(), || main().unwrap());
}
