//! [`Account`]: how many hedges a key may still launch, and after which delay it does, in one word.
//!
//! Every group pays the target's share of a hedge in; every hedge takes one out. So the hedges never exceed the share,
//! whatever the latencies do. The delay moves with it: a group lowers it by the share of a step, a hedge that is due
//! raises it by a step. It stands still only where as many are due as are paid for, which is what makes it find the
//! quantile of the key's latencies without a record of them. That is the weighted up-down method (Kaernbach, "Simple
//! adaptive testing with the weighted up-down method", 1991), a stochastic approximation (Robbins and Monro, 1951),
//! on a logarithmic scale.

/// One hedge, in the unit that shares are counted in.
pub(crate) const HEDGE: u32 = 1_000_000;
/// Hedges that may be saved up. Less would lose what calm stretches pay for busy ones; more would be a burst.
pub(crate) const MOST_SAVED: u32 = 10;
/// Steps of a doubling of the delay: small enough that a delay which is found wavers by some percent alone.
const STEPS_PER_DOUBLING: u32 = 16;
const DOUBLING: u32 = STEPS_PER_DOUBLING * HEDGE;
/// How many times as fast the delay moves where the account is full, or overdrawn: it is far from where it should be.
const HASTE: u32 = 4;
/// Beyond 68.7 seconds no delay goes.
const LONGEST: u64 = 1 << 36;

/// The savings in the lower half, the delay's logarithm in the upper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Account(pub(crate) u64);

impl Account {
    /// Of a key that no group was seen of.
    pub(crate) const UNUSED: Account = Account(0);

    /// Nothing saved, and a delay of so many nanoseconds.
    pub(crate) fn open(delay: u64) -> Self {
        Account::of(0, level_of(delay))
    }

    fn of(saved: u32, level: u32) -> Self {
        Account(u64::from(level) << 32 | u64::from(saved))
    }

    fn saved(self) -> u32 {
        self.0 as u32
    }

    fn level(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The delay in nanoseconds.
    pub(crate) fn delay(self) -> u64 {
        nanos_of(self.level())
    }

    /// After another group that pays `share` in; the delay stays at `floor` nanoseconds or above.
    pub(crate) fn paid(self, share: u32, floor: u64) -> Self {
        let saved = self.saved() + share;
        let (saved, fall) =
            if saved > MOST_SAVED * HEDGE { (MOST_SAVED * HEDGE, HASTE * share) } else { (saved, share) };
        Account::of(saved, self.level().saturating_sub(fall).max(level_of(floor)))
    }

    /// After a hedge was due, and whether it is paid for.
    pub(crate) fn due(self) -> (Self, bool) {
        let (saved, rise, granted) = match self.saved().checked_sub(HEDGE) {
            Some(left) => (left, HEDGE, true),
            None => (self.saved(), HASTE * HEDGE, false),
        };
        (Account::of(saved, (self.level() + rise).min(level_of(LONGEST))), granted)
    }
}

/// The logarithm of a delay, linear within each doubling.
fn level_of(nanos: u64) -> u32 {
    let nanos = nanos.clamp(1, LONGEST);
    let doublings = nanos.ilog2();
    let within = ((nanos - (1 << doublings)) * u64::from(DOUBLING)) >> doublings;
    doublings * DOUBLING + within as u32
}

fn nanos_of(level: u32) -> u64 {
    let (doublings, within) = (level / DOUBLING, u64::from(level % DOUBLING));
    (1 << doublings) + (within << doublings) / u64::from(DOUBLING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_kept_to_a_millionth() {
        let mut nanos = 1;
        while nanos < LONGEST {
            let kept = nanos_of(level_of(nanos));
            assert!(kept <= nanos && nanos - kept <= nanos / 1_000_000 + 1, "{nanos}: {kept}");
            nanos += nanos / 7 + 1;
        }
        assert_eq!(nanos_of(level_of(u64::MAX)), LONGEST);
        assert_eq!(nanos_of(level_of(0)), 1);
    }

    #[test]
    fn a_hedge_undoes_what_the_groups_that_paid_for_it_did() {
        let before = Account::open(50_000_000);
        let mut account = before;
        for _ in 0..50 {
            assert!(!account.due().1);
            account = account.paid(HEDGE / 50, 1_000_000);
        }
        assert!(account.delay() < before.delay());
        assert_eq!(account.due(), (before, true));
    }

    #[test]
    fn no_more_is_saved_than_the_most() {
        let mut account = Account::open(1);
        for _ in 0..1_000 {
            account = account.paid(HEDGE, 1);
        }
        let mut granted = 0;
        while let (next, true) = account.due() {
            (account, granted) = (next, granted + 1);
        }
        assert_eq!(granted, MOST_SAVED);
    }

    #[test]
    fn the_delay_stays_between_its_floor_and_a_minute() {
        let mut account = Account::open(1 << 20);
        for _ in 0..10_000 {
            account = account.paid(HEDGE, 1 << 20);
        }
        assert_eq!(account.delay(), 1 << 20);
        for _ in 0..10_000 {
            account = account.due().0;
        }
        assert_eq!(account.delay(), LONGEST);
    }
}
