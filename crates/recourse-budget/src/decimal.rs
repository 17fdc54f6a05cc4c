//! Decimals as whole parts, so that what is counted never rounds.

/// So many whole parts in `value`, rounded down, of which `one` make 1. `value` must not be negative.
///
/// A float stands for a decimal that may be a little larger: raised by a few last places, 0.6 is six tenths; exactly as
/// stored it would be 0.5999...
pub(crate) fn parts(value: f64, one: u64) -> u64 {
    (value * one as f64 * (1.0 + 2.0 * f64::EPSILON)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_decimal_of_nine_places_is_exact() {
        for n in (1..1_000_000_000u64).step_by(99_991) {
            assert_eq!(parts(n as f64 / 1e9, 1_000_000_000), n);
        }
        for n in 1..=10_000u64 {
            assert_eq!(parts(n as f64 / 1e3, 1_000_000_000), n * 1_000_000);
            assert_eq!(parts(n as f64 / 1e3, 1_000), n);
        }
    }

    #[test]
    fn what_does_not_fit_is_rounded_down() {
        assert_eq!(parts(1.0 / 3.0, 1_000_000_000), 333_333_333);
        assert_eq!(parts(2.0 / 3.0, 1_000_000_000), 666_666_666);
    }
}
