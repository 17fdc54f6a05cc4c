//! Plugins that were written against `recourse-core` alone: see `tests/plugin-crate`.
//! `cargo run -p recourse --example plugins`
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use business_hours::{BusinessHours, ByTheDoor, HalfPatience, Ledger, ShopClosed, Unhurried};
use recourse::{Attempt, Executor, FuturesTimerSleeper, Policy};
use std::time::Duration;

/// Closed for a moment; then the first one to ask waits in a queue, and the second finds a free desk.
async fn buy(attempt: Attempt) -> Result<&'static str, ShopClosed> {
    match (attempt.index(), attempt.is_hedge()) {
        (0, _) => Err(ShopClosed { opens_in: Some(Duration::from_millis(15)) }),
        (_, false) => std::future::pending().await,
        (_, true) => Ok("bread"),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (hours, ledger) = (BusinessHours::default(), Ledger::default());
    let policy = Policy::new()
        .classifier("by_the_door")
        .retry_budget("hours")
        .hedge_trigger("half_patience")
        .hedge_after(Duration::from_millis(40))
        .hedge_budget("hours");
    let executor = Executor::builder()
        .classifier("by_the_door", ByTheDoor)
        .budget("hours", hours.clone())
        .hedge_trigger("half_patience", HalfPatience)
        .observer(ledger.clone())
        .sleeper(Unhurried::new(2, FuturesTimerSleeper))
        .policy("bakery.Buy", policy)
        .build()?;

    let (bought, timeline) = executor.call("bakery.Buy").run_captured(buy).await;
    println!("{timeline}\n");
    println!("bought {}; {} served, {} lost", bought?, ledger.served(), ledger.lost());
    assert_eq!(hours.customers(), 0, "every permit came back");
    Ok(())
}
