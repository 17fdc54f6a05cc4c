//! [`Accounts`]: an [`Account`](crate::account::Account) per key, in a table of fixed size.
//!
//! A key takes the first free one of a few places, which its hash names, and keeps it (open addressing with double
//! hashing). One that finds none has the account that all such keys share. Nothing locks, and nothing is allocated once
//! the table is made.

use crate::account::Account;
use crate::atomics::{AtomicU64, Ordering};
use std::fmt;

/// Places that are tried. With half of the table taken one key in 65,536 finds none.
const TRIES: usize = if cfg!(recourse_loom) { 2 } else { 16 };
/// The mark of a place that is free.
const FREE: u64 = 0;

pub(crate) struct Accounts {
    places: Box<[Place]>,
    /// Of the keys that found no place.
    shared: AtomicU64,
}

struct Place {
    key: AtomicU64,
    account: AtomicU64,
}

impl Accounts {
    /// Room for so many keys. Twice as many places, so that few keys stand in another's way.
    pub(crate) fn with_room_for(keys: usize) -> Self {
        let place = |_| Place { key: AtomicU64::new(FREE), account: AtomicU64::new(Account::UNUSED.0) };
        let places = (0..(2 * keys).next_power_of_two()).map(place).collect();
        Accounts { places, shared: AtomicU64::new(Account::UNUSED.0) }
    }

    /// The account of a key; a key that was not seen before gets one.
    pub(crate) fn of(&self, fingerprint: u64) -> &AtomicU64 {
        self.find(fingerprint, true).unwrap_or(&self.shared)
    }

    /// The account of a key that was seen before, if it is in use.
    pub(crate) fn peek(&self, fingerprint: u64) -> Option<Account> {
        let account = Account(self.find(fingerprint, false).unwrap_or(&self.shared).load(Ordering::Relaxed));
        (account != Account::UNUSED).then_some(account)
    }

    fn find(&self, fingerprint: u64, claims: bool) -> Option<&AtomicU64> {
        // A key whose hash is the mark itself goes by another one.
        let key = if fingerprint == FREE { !FREE } else { fingerprint };
        // Both halves of the product, so that neither like keys nor like endings of keys stay alike.
        let product = u128::from(key) * 0x9e37_79b9_7f4a_7c15;
        let hash = product as u64 ^ (product >> 64) as u64;
        // An odd step comes by every place of a table whose size is a power of two.
        let (first, step) = ((hash >> 32) as usize, hash as u32 as usize | 1);
        let last = self.places.len() - 1;
        for place in (0..TRIES).map(|tried| &self.places[first.wrapping_add(tried * step) & last]) {
            // Relaxed throughout: the two words of a place say all that there is, each for itself.
            let mut holder = place.key.load(Ordering::Relaxed);
            if holder == FREE {
                if !claims {
                    return None;
                }
                holder = match place.key.compare_exchange(FREE, key, Ordering::Relaxed, Ordering::Relaxed) {
                    Ok(_) => key,
                    Err(quicker) => quicker,
                };
            }
            if holder == key {
                return Some(&place.account);
            }
        }
        None
    }
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts").field("places", &self.places.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_keeps_an_account_of_its_own() {
        let accounts = Accounts::with_room_for(1_000);
        for key in 0..1_000u64 {
            accounts.of(key.wrapping_mul(0x1234_5678_9abc_def1)).store(key + 1, Ordering::Relaxed);
        }
        for key in 0..1_000u64 {
            let found = accounts.peek(key.wrapping_mul(0x1234_5678_9abc_def1));
            assert_eq!(found, Some(Account(key + 1)), "{key}");
        }
    }

    #[test]
    fn keys_beyond_the_room_share_an_account() {
        let accounts = Accounts::with_room_for(1);
        let addresses: std::collections::HashSet<_> =
            (1..=50).map(|key| std::ptr::from_ref(accounts.of(key))).collect();
        assert_eq!(addresses.len(), 3, "two places, and the shared one");
    }

    #[test]
    fn looking_takes_no_place() {
        let accounts = Accounts::with_room_for(1);
        for key in 0..50 {
            assert_eq!(accounts.peek(key), None);
        }
        assert!(!std::ptr::eq(accounts.of(7), &accounts.shared));
    }
}
