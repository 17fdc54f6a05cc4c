//! [`Attempt`]: what an operation sees of the attempt that it is run for.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The attempt that an operation is run for. `Copy`, without a lifetime: move it wherever it is needed.
///
/// ```
/// use recourse_core::Attempt;
///
/// fn replica_for(attempt: Attempt) -> usize {
///     attempt.hedge_index() as usize % 3
/// }
/// assert_eq!(replica_for(Attempt::first()), 0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    index: u32,
    hedge_index: u32,
    policy_id: &'static str,
    time_left: Option<Duration>,
    may_be_retried: bool,
}

impl Attempt {
    /// The first attempt of a call, without a limit; for tests.
    #[must_use]
    #[inline]
    pub const fn first() -> Self {
        Attempt::new(0, 0, "", None)
    }

    /// An attempt with all it carries; for executors and tests.
    #[must_use]
    #[inline]
    pub const fn new(
        index: u32,
        hedge_index: u32,
        policy_id: &'static str,
        time_left: Option<Duration>,
    ) -> Self {
        Attempt { index, hedge_index, policy_id, time_left, may_be_retried: false }
    }

    /// The same attempt, as one that may be retried or not; for executors and tests.
    #[must_use]
    #[inline]
    pub const fn with_may_be_retried(mut self, may_be_retried: bool) -> Self {
        self.may_be_retried = may_be_retried;
        self
    }

    /// Which attempt group this is, from 0.
    #[must_use]
    #[inline]
    pub const fn index(self) -> u32 {
        self.index
    }

    /// Whether this attempt races another one of its group.
    #[must_use]
    #[inline]
    pub const fn is_hedge(self) -> bool {
        self.hedge_index > 0
    }

    /// 0 for the primary, 1 and up for hedges.
    #[must_use]
    #[inline]
    pub const fn hedge_index(self) -> u32 {
        self.hedge_index
    }

    /// The policy's id; empty where it has none.
    #[must_use]
    #[inline]
    pub const fn policy_id(self) -> &'static str {
        self.policy_id
    }

    /// How much time the attempt has, as of its start: the smaller of its own timeout and what is left of the call's.
    /// `None` for no limit.
    #[must_use]
    #[inline]
    pub const fn time_left(self) -> Option<Duration> {
        self.time_left
    }

    /// Whether another attempt may follow if this one fails: one of this call, or of a call in whose attempt this call
    /// runs. `false` in a last attempt, where what can't be repeated may have its turn: a stale value, another source.
    #[must_use]
    #[inline]
    pub const fn may_be_retried(self) -> bool {
        self.may_be_retried
    }
}

/// Texts kept for ever, at most; a policy source that makes up ids can't eat memory.
const MOST_INTERNED: usize = 4_096;

/// The same text for the whole life of the program, so that [`Attempt`] stays `Copy`.
///
/// Each distinct text is kept once; past 4,096 of them the answer is empty.
#[must_use]
pub fn intern(text: &str) -> &'static str {
    static TEXTS: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);
    if text.is_empty() {
        return "";
    }
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    let texts = texts.get_or_insert_with(HashSet::new);
    match texts.get(text) {
        Some(known) => known,
        None if texts.len() >= MOST_INTERNED => "",
        None => {
            let kept: &'static str = Box::leak(text.to_owned().into_boxed_str());
            texts.insert(kept);
            kept
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_interned_once() {
        let first = intern(&String::from("policy-7"));
        assert!(std::ptr::eq(first, intern("policy-7")));
        assert_eq!(intern(""), "");
    }

    #[test]
    fn an_attempt_is_small_enough_to_copy_everywhere() {
        assert!(size_of::<Attempt>() <= 48);
    }
}
