//! `reference`: the pages of `docs/reference`, made of the code that they speak of.
//!
//! A table comes from a table of the code where there is one, otherwise from the doc comments beside the fields and
//! variants; what the code has and a page would leave out is an error.

mod enumeration;
mod limits;
mod markdown;
mod pages;
mod reasons;
mod schema;
mod telemetry;
mod timeline;

pub(crate) use self::pages::run;
