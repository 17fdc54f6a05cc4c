//! [`Limit`]: the time that an attempt has, or no limit.

use std::time::Duration;

/// The time that each attempt has.
pub(super) trait Limit: Send + Sync + 'static {
    /// Whether there is any.
    const LIMITS: bool;

    /// The time; `None` for no limit.
    fn time(&self) -> Option<Duration>;
}

/// No limit.
pub(super) struct Unlimited;

impl Limit for Unlimited {
    const LIMITS: bool = false;

    #[inline]
    fn time(&self) -> Option<Duration> {
        None
    }
}

/// So long.
pub(super) struct Limited(pub(super) Duration);

impl Limit for Limited {
    const LIMITS: bool = true;

    #[inline]
    fn time(&self) -> Option<Duration> {
        Some(self.0)
    }
}
