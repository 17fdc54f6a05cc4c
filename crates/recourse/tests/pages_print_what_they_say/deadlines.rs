//! A program of `docs/concepts/deadlines-and-cancellation.md`, word for word, up to its test.

use recourse::{Executor, Jitter, Policy, StopReason};
use recourse_test::{Script, VirtualTime};
use std::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let ms = Duration::from_millis;
    let time = VirtualTime::new();
    let policy = Policy::new()
        .max_attempts(5)
        .backoff(ms(100), ms(400))
        .jitter(Jitter::None)
        .timeout_per_attempt(ms(40))
        .overall_timeout(ms(300));
    let executor = Executor::builder()
        .clock(time.clone())
        .sleeper(time.clone())
        .policy("stock.Count", policy)
        .build()?;

    let stock = Script::<u32>::fails(1).takes(ms(30)).then_never().on(&time);
    let mut left = Vec::new();
    let call = executor.call("stock.Count").run_captured(|attempt| {
        left.push(attempt.time_left());
        stock.call(attempt)
    });
    let (result, timeline) = time.run(call);
    println!("{timeline}");

    let error = result.unwrap_err();
    assert_eq!(error.stop_reason(), StopReason::DeadlineWouldPass);
    assert_eq!(error.into_inner().unwrap().to_string(), "scripted failure 0");
    assert_eq!(left, [Some(ms(40)), Some(ms(40))]);
    Ok(())
}

#[test]
fn it_prints_what_its_page_says() {
    crate::it_prints("docs/concepts/deadlines-and-cancellation.md", file!(), || main().unwrap());
}
