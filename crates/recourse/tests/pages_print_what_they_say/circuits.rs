//! A program of `docs/concepts/circuits.md`, word for word, up to its test.

use recourse::{CircuitState, Executor, Policy, StopReason};
use recourse_test::{Script, VirtualTime};
use std::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let time = VirtualTime::new();
    let executor = Executor::builder()
        .clock(time.clone())
        .sleeper(time.clone())
        .seed(1)
        .policy("stock.Count", Policy::new().max_attempts(3).circuit(5, Duration::from_secs(10)))
        .build()?;
    let stock = Script::fails(5).then_ok(7).on(&time); // down, and then up again
    let call = || executor.call("stock.Count").run_captured(|attempt| stock.call(attempt));

    let (first, _) = time.run(call());
    assert_eq!(first.unwrap_err().attempts(), 3); // three failures in a row

    let (second, timeline) = time.run(call());
    println!("{timeline}");
    assert_eq!(second.unwrap_err().stop_reason(), StopReason::CircuitOpen); // the fifth opens the circuit

    let (third, timeline) = time.run(call());
    println!("{timeline}");
    assert_eq!(third.unwrap_err().attempts(), 0); // the operation doesn't run

    time.advance(Duration::from_secs(10));
    let (fourth, _) = time.run(call()); // the probe
    assert_eq!(fourth?, 7);
    assert_eq!(executor.circuit_state("stock.Count"), Some(CircuitState::Closed));
    Ok(())
}

#[test]
fn it_prints_what_its_page_says() {
    crate::it_prints("docs/concepts/circuits.md", file!(), || main().unwrap());
}
