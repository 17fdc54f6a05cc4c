//! A program of `docs/concepts/budgets.md`, word for word, up to its test.

use recourse::{Executor, HttpFailure, Policy, StopReason, budget::TokenBucket};
use recourse_test::VirtualTime;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let time = VirtualTime::new();
    let executor = Executor::builder()
        .clock(time.clone())
        .sleeper(time.clone())
        .seed(7)
        .budget("extra-load", TokenBucket::new(1, 0.1)?) // room for one, then one in ten seconds
        .policy("user-service.GetUser", Policy::new().max_attempts(4).retry_budget("extra-load"))
        .build()?;

    let call = executor.call("user-service.GetUser");
    let (result, timeline) =
        time.run(call.run_captured(async |_| Err::<(), _>(HttpFailure::new(503, "GET"))));
    println!("{timeline}");

    let error = result.unwrap_err();
    assert_eq!((error.stop_reason(), error.attempts()), (StopReason::BudgetDenied, 2));
    assert_eq!(error.into_inner().unwrap().status(), 503); // the attempt's own error
    Ok(())
}

#[test]
fn it_prints_what_its_page_says() {
    crate::it_prints("docs/concepts/budgets.md", file!(), || main().unwrap());
}
