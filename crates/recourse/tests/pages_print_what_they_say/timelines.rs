//! A program of `docs/concepts/timelines.md`, word for word, up to its test.

use recourse::observe::logfmt;
use recourse::{Executor, HttpFailure, Policy};
use recourse_test::{Script, VirtualTime};
use std::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let ms = Duration::from_millis;
    let time = VirtualTime::new();
    let executor = Executor::builder()
        .clock(time.clone())
        .sleeper(time.clone())
        .seed(1)
        .policy("payments.Charge", Policy::new().hedge_after(ms(20)).max_hedges(1).id("v7"))
        .build()?;
    let charge = Script::fails_with(1, |_| HttpFailure::new(503, "PUT"))
        .takes(ms(10))
        .then_ok(())
        .takes(ms(500))
        .then_ok(())
        .takes(ms(15))
        .on(&time);
    let (result, timeline) =
        time.run(executor.call("payments.Charge").run_captured(|attempt| charge.call(attempt)));
    println!("{timeline}\n\n{}", logfmt(&timeline));
    result?;
    Ok(())
}

#[test]
fn it_prints_what_its_page_says() {
    crate::it_prints("docs/concepts/timelines.md", file!(), || main().unwrap());
}
