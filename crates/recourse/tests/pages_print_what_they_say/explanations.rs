//! A program of `docs/guide/getting-started.md`, word for word, up to its test.

use recourse::{Executor, Policy};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let executor =
        Executor::builder().policy("search.Query", Policy::low_latency().max_attempts(99)).build()?;
    let explanation = executor.explain("search.Query")?;
    println!("{explanation}");
    assert_eq!(explanation.worst_case_attempts, 30);
    Ok(())
}

#[test]
fn it_prints_what_its_page_says() {
    crate::it_prints("docs/guide/getting-started.md", file!(), || main().unwrap());
}
