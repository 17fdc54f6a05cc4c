//! recourse by key, which is looked up at every call.

use crate::case::{Case, Setup};
use crate::contestant::Contestant;
use crate::contestants::recourse::executor::{KEY, executor};
use crate::contestants::recourse::keys;
use crate::harness::{Runner, Shared, repeat};
use crate::operation::Operation;
use std::hint::black_box;

/// recourse by a key whose hash is known when it is compiled.
#[derive(Debug)]
pub struct RecourseByStaticKey;

impl Contestant for RecourseByStaticKey {
    const NAME: &'static str = "recourse-static-key";
    const DOES: &'static str =
        "as recourse, by a key that is looked up at every call and whose hash is known when it is compiled";
    const DOES_NOT: &'static str = "-";

    fn prepare(case: Case, operation: impl Operation) -> Option<Runner> {
        if let Setup::Keys(many) = case.setup {
            return keys::by_static_key(case, many, operation);
        }
        Self::share(case, operation).map(|mut shared| shared())
    }

    fn share(case: Case, operation: impl Operation) -> Option<Shared> {
        let executor = is_by_key(case).then(|| executor(case))??;
        Some(Box::new(move || {
            let executor = executor.clone();
            repeat(case, async move || executor.run(&KEY, |_| operation.call()).await)
        }))
    }
}

/// recourse by a text that is hashed and compared at every call.
#[derive(Debug)]
pub struct RecourseByStringKey;

impl Contestant for RecourseByStringKey {
    const NAME: &'static str = "recourse-string-key";
    const DOES: &'static str = "as recourse, by a text that is hashed, compared and looked up at every call";
    const DOES_NOT: &'static str = "-";

    fn prepare(case: Case, operation: impl Operation) -> Option<Runner> {
        if let Setup::Keys(many) = case.setup {
            return keys::by_string_key(case, many, operation);
        }
        Self::share(case, operation).map(|mut shared| shared())
    }

    fn share(case: Case, operation: impl Operation) -> Option<Shared> {
        let executor = is_by_key(case).then(|| executor(case))??;
        Some(Box::new(move || {
            let (executor, text) = (executor.clone(), text());
            repeat(case, async move || executor.run(text.as_str(), |_| operation.call()).await)
        }))
    }
}

/// The look-up costs the same whatever is configured, so a few rows show it.
fn is_by_key(case: Case) -> bool {
    matches!(case.setup, Setup::Retry | Setup::All)
}

/// The key as a text that the compiler can't hash.
fn text() -> String {
    black_box(KEY.as_str()).to_owned()
}
