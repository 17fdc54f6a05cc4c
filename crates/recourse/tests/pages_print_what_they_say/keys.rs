//! A program of `docs/concepts/keys.md`, word for word, up to its test.

use recourse::{Executor, StopReason};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let executor = Executor::builder().build()?;
    let run = executor.run("..", |_| async { Ok::<_, std::io::Error>(7) });
    let error = futures::executor::block_on(run).unwrap_err();
    assert_eq!(error.stop_reason(), StopReason::InvalidKey);
    println!("{error}");
    Ok(())
}

#[test]
fn it_prints_what_its_page_says() {
    crate::it_prints("docs/concepts/keys.md", file!(), || main().unwrap());
}
