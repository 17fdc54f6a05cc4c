//! The built-in classifiers.
//!
//! | name | classifier |
//! |---|---|
//! | `always` | [`Always`]: every error is retryable |
//! | `http` | [`Http`]: by status, method and `Retry-After` |
//! | `grpc` | [`Grpc`]: by status code |
//! | `auto` | [`Auto`]: `http` where an HTTP failure is found, else `always`; the executor's default |

mod always;
mod auto;
mod grpc;
mod http;

pub use self::always::Always;
pub use self::auto::Auto;
pub use self::grpc::Grpc;
pub use self::http::Http;

use recourse_core::{Classifier, Registry};
use std::sync::{Arc, OnceLock};

/// Every built-in classifier by its registry name; the same objects at every call.
#[must_use]
pub fn builtin() -> [(&'static str, Arc<dyn Classifier>); 4] {
    static BUILTIN: OnceLock<[(&'static str, Arc<dyn Classifier>); 4]> = OnceLock::new();
    BUILTIN
        .get_or_init(|| {
            [
                ("auto", Arc::new(Auto::new())),
                ("always", Arc::new(Always)),
                ("http", Arc::new(Http::new())),
                ("grpc", Arc::new(Grpc)),
            ]
        })
        .clone()
}

/// The executor's default classifier.
pub(crate) fn auto() -> Arc<dyn Classifier> {
    let [(_, auto), ..] = builtin();
    auto
}

/// A registry that holds the built-in classifiers.
#[must_use]
pub fn registry() -> Registry<dyn Classifier> {
    let registry = Registry::new();
    for (name, classifier) in builtin() {
        let registered = registry.register_shared(name, classifier);
        debug_assert!(registered.is_ok(), "built-in names are distinct");
    }
    registry
}
