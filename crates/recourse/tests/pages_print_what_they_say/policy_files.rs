//! A program of `docs/concepts/policies.md`, word for word, up to its test.

use recourse::policy::PolicySet;
use recourse::{Executor, budget::TokenBucket};

const FILE: &str = r#"
[default.retry]
overall_timeout = "5s"

[policies."payments.Charge".retry]
max_attempts = 4
initial_backoff = "50ms"
budget = { name = "retries", cost = 1 }

[policies."payments.Charge".circuit]
enabled = true
cooldown = "30s"
"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let policies: PolicySet = toml::from_str(FILE)?;
    let executor =
        Executor::builder().budget("retries", TokenBucket::new(100, 50.0)?).policies(policies).build()?;
    assert_eq!(executor.explain("payments.Charge")?.worst_case_attempts, 4);

    let misspelt = toml::from_str::<PolicySet>("[default.retry]\nmax_atempts = 4").unwrap_err();
    println!("{misspelt}");
    Ok(())
}

#[test]
fn it_prints_what_its_page_says() {
    crate::it_prints("docs/concepts/policies.md", file!(), || main().unwrap());
}
