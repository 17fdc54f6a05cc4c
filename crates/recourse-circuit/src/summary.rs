//! [`Summary`]: what can be answered without the circuit's lock.

use crate::state::Circuit;
use recourse_core::{CircuitState, Now};
use std::sync::atomic::{AtomicU64, Ordering};

/// What the circuit is, for readers without its lock: a closed one admits, a healthy one hears of success, and an open
/// one rejects, by loads alone.
///
/// # Why that is right
///
/// It is stored only under the circuit's lock, so the word takes the values, in order, that the circuit has gone
/// through. The answers that are made from it change nothing, so each is what the circuit itself would have said when
/// it was as the loaded word says; a load that races with a change counts as before that change. Whoever has heard of a
/// change, from the lock or from the caller that made it, can't load an older word.
///
/// The window belongs to a generation of the open state. It is stored before the word that names this generation, so
/// who has loaded the word sees no older window (hence `Release` and `Acquire`); and who sees a younger one sees, in
/// the second look at the word, that the generation has passed.
#[derive(Debug)]
pub(crate) struct Summary {
    /// Generation, and below it the standing.
    word: AtomicU64,
    /// While open: a primary that asks from here ..
    from: AtomicU64,
    /// .. until just before here is rejected.
    until: AtomicU64,
}

const STANDING_BITS: u32 = 2;

/// The low bits of the word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Closed, no failures.
    Healthy,
    /// Closed, with failures.
    Failing,
    /// Open.
    Open,
    /// Half-open, with or without a probe.
    HalfOpen,
}

impl Summary {
    pub(crate) fn of(circuit: &Circuit) -> Self {
        let summary = Summary { word: AtomicU64::new(0), from: AtomicU64::new(0), until: AtomicU64::new(0) };
        summary.follow(circuit);
        summary
    }

    /// To be called under the circuit's lock after each change.
    pub(crate) fn follow(&self, circuit: &Circuit) {
        if let Some((from, until)) = circuit.rejecting() {
            self.from.store(from.as_nanos(), Ordering::Release);
            self.until.store(until.as_nanos(), Ordering::Release);
        }
        self.word.store(pack(circuit), Ordering::Release);
    }

    pub(crate) fn read(&self) -> (u64, Standing) {
        unpack(self.word.load(Ordering::Acquire))
    }

    /// Whether the circuit is open and rejects a primary that asks now.
    pub(crate) fn rejects(&self, now: &Now<'_>) -> bool {
        let word = self.word.load(Ordering::Acquire);
        if unpack(word).1 != Standing::Open {
            return false;
        }
        let window = self.from.load(Ordering::Acquire)..self.until.load(Ordering::Acquire);
        self.word.load(Ordering::Acquire) == word && window.contains(&now.get().as_nanos())
    }
}

fn pack(circuit: &Circuit) -> u64 {
    let standing = match circuit.state() {
        CircuitState::Closed if circuit.failures() == 0 => Standing::Healthy,
        CircuitState::Closed => Standing::Failing,
        CircuitState::Open => Standing::Open,
        _ => Standing::HalfOpen,
    };
    circuit.generation() << STANDING_BITS | standing as u64
}

fn unpack(word: u64) -> (u64, Standing) {
    let standing = match word & 0b11 {
        0 => Standing::Healthy,
        1 => Standing::Failing,
        2 => Standing::Open,
        _ => Standing::HalfOpen,
    };
    (word >> STANDING_BITS, standing)
}
