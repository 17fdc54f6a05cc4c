//! [`Refill`]: how much has flowed into a bucket by a moment, in whole numbers.
//!
//! A token is cut into equal parts, so many that 584 years of refill (all that a [`Moment`] can say) still fit into 64
//! bits: a part is at most some ten nanoseconds' worth of refill, or a billionth of a token. The inflow is a function
//! of the moment alone. Nothing is added up step by step, so there is no rounding to add up either: two moments give the
//! same inflow however often the bucket was asked between them.

use recourse_core::Moment;

/// The fastest refill, one token a nanosecond: a clock can't tell anything faster apart.
pub(crate) const FASTEST: f64 = 1e9;

/// A clock that reads less than this before the latest moment may be a thread that arrives late; in nanoseconds.
const OUT_OF_STEP: u64 = 1_000_000_000;
/// What a [`Moment`] can say, in seconds.
const CLOCK_RANGE: f64 = u64::MAX as f64 / 1e9;
/// Just under 2^64, so that a rounding error below can't carry over it.
const MOST_PARTS: f64 = 1.8e19;
/// `parts_per_nano` is in units of 2^-62 parts.
const FRACTION_BITS: u32 = 62;

/// Capacity and speed of a bucket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refill {
    /// The bucket's capacity in tokens.
    tokens: u32,
    parts_per_token: u64,
    parts_per_nano: u64,
    /// The bucket's capacity in parts.
    pub(crate) capacity: u64,
    /// So much inflow ahead of the clock, and the clock was set back: what fills the bucket, or comes in a second.
    pub(crate) far: u64,
}

impl Refill {
    /// `per_second` must be between 0 and [`FASTEST`].
    pub(crate) fn new(capacity: u32, per_second: f64) -> Self {
        let most_tokens = f64::from(capacity) + per_second * CLOCK_RANGE;
        let mut parts_per_token = 1u64;
        while most_tokens * parts_per_token as f64 * 10.0 <= MOST_PARTS {
            parts_per_token *= 10;
        }
        // A float stands for a decimal that may be a little larger. Rounded up by a few last places, 0.3 a second is
        // three tokens in ten seconds; exactly as stored it would be 2.999...
        let parts_per_nano = per_second * parts_per_token as f64 / 1e9 * (1.0 + 2.0 * f64::EPSILON);
        let mut refill = Refill {
            tokens: capacity,
            parts_per_token,
            parts_per_nano: (parts_per_nano * (1u64 << FRACTION_BITS) as f64).ceil() as u64,
            capacity: u64::from(capacity) * parts_per_token,
            far: 0,
        };
        refill.far = refill.capacity.max(refill.refilled(OUT_OF_STEP));
        refill
    }

    /// All that has flowed in by `now`, the first filling included, in parts. Never falls as `now` grows.
    pub(crate) fn inflow(&self, now: Moment) -> u64 {
        self.refilled(now.as_nanos()).saturating_add(self.capacity)
    }

    /// What comes in so many nanoseconds, in parts.
    #[inline]
    pub(crate) fn refilled(&self, nanos: u64) -> u64 {
        let refilled = (u128::from(nanos) * u128::from(self.parts_per_nano)) >> FRACTION_BITS;
        u64::try_from(refilled).unwrap_or_else(|_| the_most())
    }

    /// Whether the bucket ever holds so many tokens.
    #[inline]
    pub(crate) fn holds(&self, tokens: u32) -> bool {
        tokens <= self.tokens
    }

    /// So many tokens in parts, where the bucket [holds](Self::holds) them.
    #[inline]
    pub(crate) fn parts_of(&self, tokens: u32) -> u64 {
        u64::from(tokens) * self.parts_per_token
    }

    /// The whole tokens in so many parts.
    pub(crate) fn tokens_in(&self, parts: u64) -> u64 {
        parts / self.parts_per_token
    }
}

/// A function, so that this is a jump that is never taken: what a choice of two values waits for, a jump doesn't.
#[cold]
fn the_most() -> u64 {
    u64::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: [f64; 12] = [0.0, 5e-324, 1e-9, 1.4e-9, 1e-3, 0.1, 1.0, 33.3, 50.0, 1e6, 123_456_789.0, 1e9];
    const CAPACITIES: [u32; 4] = [1, 100, 1_000_000, u32::MAX];

    fn refilled(refill: &Refill, nanos: u64) -> u64 {
        refill.inflow(Moment::from_nanos(nanos)) - refill.inflow(Moment::ZERO)
    }

    #[test]
    fn the_inflow_fits_into_its_word_up_to_the_last_moment() {
        for rate in RATES {
            for capacity in CAPACITIES {
                let refill = Refill::new(capacity, rate);
                let tokens = (refilled(&refill, u64::MAX) / refill.parts_per_token) as f64;
                let wanted = rate * CLOCK_RANGE;
                assert!(
                    (tokens - wanted).abs() <= 1.0 + wanted * 1e-9,
                    "{capacity} {rate}: {tokens} {wanted}"
                );
            }
        }
    }

    #[test]
    fn a_part_is_a_billionth_of_a_token_or_a_few_nanoseconds_of_refill() {
        for rate in RATES {
            for capacity in CAPACITIES {
                let refill = Refill::new(capacity, rate);
                let token = 1.0 / refill.parts_per_token as f64;
                assert!(token <= 1e-9 || token / rate <= 15e-9, "{capacity} {rate}: {token}");
            }
        }
    }

    #[test]
    fn decimal_rates_give_whole_tokens_at_the_expected_nanosecond() {
        for (rate, nanos, tokens) in [
            (50.0, 20_000_000, 1),
            (0.3, 10_000_000_000, 3),
            (0.7, 10_000_000_000, 7),
            (33.3, 10_000_000_000, 333),
            (1.0 / 3.0, 3_000_000_000, 1),
            (3.0, 1_000_000_000, 3),
            (1e6, 1_000, 1),
            (1e9, 1, 1),
            (1e-3, 1_000_000_000_000, 1),
        ] {
            for capacity in CAPACITIES {
                let refill = Refill::new(capacity, rate);
                assert_eq!(refill.tokens_in(refilled(&refill, nanos)), tokens, "{rate}");
                assert_eq!(refill.tokens_in(refilled(&refill, nanos - 1)), tokens - 1, "{rate}");
            }
        }
    }
}
