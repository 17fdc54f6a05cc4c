//! [`Probes`]: the slots of a half-open circuit. As many as there are, each with a lease.

use recourse_core::Moment;
use std::time::Duration;

/// More doublings than that of the longest lease are as good as for ever.
const MOST_DOUBLINGS: u32 = 20;

/// The probes that are out. Its memory is fixed at construction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Probes {
    slots: Box<[Option<Probe>]>,
    /// Leases that have run out since the circuit went half-open.
    expired: u32,
}

/// A probe that is out. Its generation is its own: no other ticket has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Probe {
    generation: u64,
    since: Moment,
    lease: Duration,
}

impl Probe {
    fn until(&self) -> Moment {
        self.since + self.lease
    }
}

impl Probes {
    pub(crate) fn new(slots: u32) -> Self {
        Probes { slots: vec![None; slots as usize].into_boxed_slice(), expired: 0 }
    }

    /// A slot for the probe of this generation: a free one, or one whose lease is over. `false` where there is none.
    pub(crate) fn grant(&mut self, generation: u64, lease: Duration, now: Moment) -> bool {
        let found = match self.slots.iter().position(Option::is_none) {
            Some(free) => free,
            None => match self.over(now) {
                Some(over) => {
                    self.expired = (self.expired + 1).min(MOST_DOUBLINGS);
                    over
                }
                None => return false,
            },
        };
        let lease = lease.saturating_mul(1 << self.expired);
        self.slots[found] = Some(Probe { generation, since: now, lease });
        true
    }

    /// The slot whose lease is over for longest. On a clock that went back, leases count from now, at most.
    fn over(&mut self, now: Moment) -> Option<usize> {
        for probe in self.slots.iter_mut().flatten() {
            probe.since = probe.since.min(now);
        }
        let ends = self.slots.iter().map(|slot| slot.map(|probe| (probe.until(), probe.generation)));
        let over = ends.enumerate().filter(|(_, end)| end.is_some_and(|(until, _)| until <= now));
        over.min_by_key(|(_, end)| *end).map(|(slot, _)| slot)
    }

    pub(crate) fn holds(&self, generation: u64) -> bool {
        self.slots.iter().flatten().any(|probe| probe.generation == generation)
    }

    pub(crate) fn give_back(&mut self, generation: u64) {
        for slot in &mut self.slots {
            if slot.is_some_and(|probe| probe.generation == generation) {
                *slot = None;
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.slots.fill(None);
        self.expired = 0;
    }

    pub(crate) fn out(&self) -> u32 {
        self.slots.iter().flatten().fold(0, |out, _| out + 1)
    }

    /// While all slots are taken: from the first moment on and before the second, [`grant`](Self::grant) would say no
    /// and change nothing.
    pub(crate) fn full(&self) -> Option<(Moment, Moment)> {
        let mut probes = self.slots.iter().flatten();
        let first = probes.next().filter(|_| self.out() as usize == self.slots.len())?;
        Some(probes.fold((first.since, first.until()), |(from, until), probe| {
            (from.max(probe.since), until.min(probe.until()))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(10);

    fn at(secs: u64) -> Moment {
        Moment::ZERO + Duration::from_secs(secs)
    }

    #[test]
    fn a_lease_that_is_over_frees_its_slot_and_makes_the_next_one_twice_as_long() {
        let mut probes = Probes::new(1);
        assert!(probes.grant(1, LEASE, at(0)));
        assert!(!probes.grant(2, LEASE, at(9)));
        assert!(probes.grant(2, LEASE, at(10)));
        assert!(!probes.holds(1) && probes.holds(2));
        assert_eq!(probes.full(), Some((at(10), at(30))));
        assert!(!probes.grant(3, LEASE, at(29)));
        assert!(probes.grant(3, LEASE, at(30)));
        assert_eq!(probes.full(), Some((at(30), at(70))));
    }

    #[test]
    fn the_window_is_that_in_which_nothing_changes() {
        let mut probes = Probes::new(2);
        assert!(probes.grant(1, LEASE, at(0)));
        assert_eq!(probes.full(), None);
        assert!(probes.grant(2, LEASE, at(3)));
        assert_eq!(probes.full(), Some((at(3), at(10))));
        assert!(!probes.grant(3, LEASE, at(1)), "back in time");
        assert_eq!(probes.full(), Some((at(1), at(10))));
        assert!(!probes.grant(3, LEASE, at(0)));
        probes.give_back(1);
        assert_eq!((probes.full(), probes.out()), (None, 1));
    }

    #[test]
    fn however_many_leases_run_out_none_is_endless() {
        let mut probes = Probes::new(1);
        let mut now = Moment::ZERO;
        for generation in 0..100 {
            assert!(probes.grant(generation, Duration::from_millis(100), now));
            now = probes.full().expect("one slot").1;
        }
        assert!(now < Moment::from_nanos(u64::MAX));
    }
}
