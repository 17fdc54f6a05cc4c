//! [`Millionths`]: a part of one, counted exactly.

/// A part of one in whole millionths, so that sums and comparisons are exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Millionths(u32);

impl Millionths {
    pub(crate) const ZERO: Self = Millionths(0);
    pub(crate) const ONE: Self = Millionths(1_000_000);

    /// Rounded down, so that a ratio of two thirds is reached by two of three; a value that was meant as a whole number
    /// of millionths is that one, though its double lies a little below. `None` outside 0 to 1.
    pub(crate) fn of(part: f64) -> Option<Self> {
        if !(0.0..=1.0).contains(&part) {
            return None;
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to a million")]
        let whole = (part * 1e6 + 1e-3) as u32;
        Some(Millionths(whole))
    }

    pub(crate) const fn get(self) -> u64 {
        self.0 as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_what_it_says() {
        for millionths in 0..=1_000_000_u32 {
            assert_eq!(Millionths::of(f64::from(millionths) / 1e6), Some(Millionths(millionths)));
        }
        assert_eq!(Millionths::of(2.0 / 3.0), Some(Millionths(666_666)));
        for odd in [-1e-9, 1.000_001, f64::NAN, f64::INFINITY] {
            assert_eq!(Millionths::of(odd), None);
        }
    }
}
