//! A program of `docs/concepts/hedging.md`, word for word, up to its test.

use recourse::{Executor, Policy, budget::TokenBucket};
use recourse_test::{Script, VirtualTime};
use std::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let ms = Duration::from_millis;
    let time = VirtualTime::new();
    let executor = Executor::builder()
        .clock(time.clone())
        .sleeper(time.clone())
        .budget("hedges", TokenBucket::new(20, 5.0)?)
        .policy("search.Query", Policy::new().hedge_after(ms(50)).max_hedges(1).hedge_budget("hedges"))
        .build()?;

    // The other side: the first request takes 400 ms, the second 30 ms.
    let search = Script::ok("slow").takes(ms(400)).then_ok("quick").takes(ms(30)).on(&time);
    let call = executor.call("search.Query").run_captured(|attempt| search.call(attempt));
    let (answer, timeline) = time.run(call);
    println!("{timeline}");
    assert_eq!(answer?, "quick");
    Ok(())
}

#[test]
fn it_prints_what_its_page_says() {
    crate::it_prints("docs/concepts/hedging.md", file!(), || main().unwrap());
}
