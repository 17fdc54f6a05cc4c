//! The manual as doctests: every Rust block of README and `docs/` is compiled, and run unless it says otherwise.
//!
//! This module exists for `cargo test --doc` alone. The pages lie outside the package, so the doctests run in a
//! checkout of the project and not from a packaged crate. Pages with a block that needs a feature ask for it.

#[doc = include_str!("../../../README.md")]
struct Readme;

#[doc = include_str!("../../../docs/architecture.md")]
struct Architecture;

#[cfg(feature = "tokio")]
#[doc = include_str!("../../../docs/guide/getting-started.md")]
struct GuideGettingStarted;

#[doc = include_str!("../../../docs/guide/extending.md")]
struct GuideExtending;

#[doc = include_str!("../../../docs/guide/testing.md")]
struct GuideTesting;

#[doc = include_str!("../../../docs/guide/compiler-errors.md")]
struct GuideCompilerErrors;

#[doc = include_str!("../../../docs/concepts/keys.md")]
struct Keys;

#[cfg(feature = "serde")]
#[doc = include_str!("../../../docs/concepts/policies.md")]
struct Policies;

#[doc = include_str!("../../../docs/concepts/classifiers.md")]
struct Classifiers;

#[doc = include_str!("../../../docs/concepts/budgets.md")]
struct Budgets;

#[doc = include_str!("../../../docs/concepts/hedging.md")]
struct Hedging;

#[doc = include_str!("../../../docs/concepts/circuits.md")]
struct Circuits;

#[doc = include_str!("../../../docs/concepts/timelines.md")]
struct Timelines;

#[doc = include_str!("../../../docs/concepts/deadlines-and-cancellation.md")]
struct DeadlinesAndCancellation;
