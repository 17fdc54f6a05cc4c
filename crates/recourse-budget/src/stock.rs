//! [`Stock`]: tokens, and those taken that may yet come back, as one word.

/// Both halves change in one atomic step, because they stand in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stock {
    pub(crate) tokens: u32,
    /// Surcharges that were taken and that nobody has settled.
    owed: u32,
}

impl Stock {
    pub(crate) fn full(tokens: u32) -> Self {
        Stock { tokens, owed: 0 }
    }

    pub(crate) fn packed(self) -> u64 {
        u64::from(self.owed) << 32 | u64::from(self.tokens)
    }

    pub(crate) fn unpacked(word: u64) -> Self {
        Stock { tokens: word as u32, owed: (word >> 32) as u32 }
    }

    /// Without `price` tokens; `None` if there are fewer.
    pub(crate) fn less(self, price: u32) -> Option<Self> {
        Some(Stock { tokens: self.tokens.checked_sub(price)?, ..self })
    }

    /// With so many more tokens, up to the capacity.
    pub(crate) fn add(&mut self, tokens: u32, capacity: u32) {
        self.tokens = self.tokens.saturating_add(tokens).min(capacity);
    }

    /// Takes a surcharge, or what there is of it, and remembers it.
    pub(crate) fn owe(&mut self, surcharge: u32) {
        let taken = surcharge.min(self.tokens).min(u32::MAX - self.owed);
        self.tokens -= taken;
        self.owed += taken;
    }

    /// Forgets a surcharge, or what is owed of it; returns how much that was.
    pub(crate) fn settle(&mut self, surcharge: u32) -> u32 {
        let settled = surcharge.min(self.owed);
        self.owed -= settled;
        settled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_fit_into_the_word() {
        for (tokens, owed) in [(0, 0), (u32::MAX, 0), (0, u32::MAX), (u32::MAX, u32::MAX), (1, 2)] {
            let stock = Stock { tokens, owed };
            assert_eq!(Stock::unpacked(stock.packed()), stock);
        }
    }

    #[test]
    fn no_more_is_owed_than_was_taken() {
        let mut stock = Stock::full(3);
        stock.owe(5);
        assert_eq!(stock, Stock { tokens: 0, owed: 3 });
        assert_eq!((stock.settle(5), stock.settle(5)), (3, 0));
    }
}
