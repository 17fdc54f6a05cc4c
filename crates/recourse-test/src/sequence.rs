//! [`Sequence`]: what comes how often, one after the other; the last one for ever.

/// Values in order, each for so many turns; behind the end, the last value repeats.
#[derive(Clone, Debug)]
pub(crate) struct Sequence<V> {
    runs: Vec<(u32, V)>,
}

impl<V> Sequence<V> {
    pub(crate) const fn new() -> Self {
        Sequence { runs: Vec::new() }
    }

    pub(crate) fn push(&mut self, times: u32, value: V) {
        self.runs.push((times, value));
    }

    /// The value that was pushed last, even for no turn.
    pub(crate) fn last_mut(&mut self) -> Option<&mut V> {
        self.runs.last_mut().map(|(_, value)| value)
    }

    /// The value of the turn with this number, from 0; `None` where no value has a turn.
    pub(crate) fn nth(&self, number: usize) -> Option<&V> {
        let mut end = 0_usize;
        let mut last = None;
        for (times, value) in self.runs.iter().filter(|(times, _)| *times > 0) {
            end = end.saturating_add(*times as usize);
            last = Some(value);
            if number < end {
                break;
            }
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_repeats_and_one_without_a_turn_is_passed_over() {
        let mut sequence = Sequence::new();
        assert_eq!(sequence.nth(0), None::<&char>);
        for (times, value) in [(2, 'a'), (0, 'b'), (1, 'c'), (0, 'd')] {
            sequence.push(times, value);
        }
        let turns: String = (0..5).filter_map(|number| sequence.nth(number)).collect();
        assert_eq!(turns, "aaccc");
        assert_eq!(sequence.last_mut(), Some(&mut 'd'));
    }

    #[test]
    fn a_very_long_run_costs_nothing() {
        let mut sequence = Sequence::new();
        sequence.push(u32::MAX, 1);
        sequence.push(u32::MAX, 2);
        assert_eq!(sequence.nth(7), Some(&1));
    }
}
