//! [`Tally`]: what the test runner's closing lines add up to.

use std::fmt;
use std::ops::AddAssign;

/// Tests by how they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) skipped: u64,
}

impl Tally {
    /// One thing that passed or failed.
    pub(super) fn one(passed: bool) -> Self {
        Tally { passed: passed.into(), failed: (!passed).into(), skipped: 0 }
    }

    /// The numbers of a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; ...`; none of another line.
    pub(super) fn of_line(line: &str) -> Option<Self> {
        let (_, numbers) = line.trim().strip_prefix("test result: ")?.split_once(". ")?;
        let number =
            |name: &str| numbers.split("; ").find_map(|part| part.strip_suffix(name)?.trim().parse().ok());
        Some(Tally { passed: number(" passed")?, failed: number(" failed")?, skipped: number(" ignored")? })
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_add_up_and_other_lines_count_nothing() {
        let mut sum = Tally::default();
        let lines = [
            "running 3 tests",
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.01s",
            "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test a::test result: 4 passed",
        ];
        for tally in lines.iter().filter_map(|line| Tally::of_line(line)) {
            sum += tally;
        }
        assert_eq!(sum.to_string(), "13 passed, 2 failed, 1 skipped");
    }
}
