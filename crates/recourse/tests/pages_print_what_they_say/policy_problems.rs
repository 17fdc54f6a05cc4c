//! A program of `docs/concepts/policies.md`, word for word, up to its test.

use recourse::{Executor, Policy};

fn main() {
    let built = Executor::builder()
        .strict()
        .policy("payments.Charge", Policy::new().max_attempts(99))
        .policy("payments . Charge", Policy::new())
        .policy("search.Query", Policy::new().backoff_multiplier(f64::NAN).retry_budget("retires"))
        .build();
    println!("{}", built.unwrap_err());
}

#[test]
fn it_prints_what_its_page_says() {
    crate::it_prints("docs/concepts/policies.md", file!(), main);
}
