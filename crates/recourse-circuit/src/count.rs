//! How the votes of a closed circuit are counted: all in which the kinds of breakers differ.

mod attempts;
mod counting;
mod ratio;
mod seconds;
mod streak;
mod stripes;

pub(crate) use self::attempts::Attempts;
pub(crate) use self::counting::{Answer, Count, Inbox, Sums, Vote};
pub(crate) use self::ratio::Ratios;
pub(crate) use self::seconds::{BUCKETS, Seconds};
pub(crate) use self::streak::Streak;
