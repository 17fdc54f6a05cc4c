//! `test`: every test, doctest and example, with one closing line.

mod examples;
mod suite;
mod tally;

pub(crate) use self::suite::run;
