//! A goal against the figures of one run.

use crate::bench::figures::{Call, find};
use crate::bench::goals::{Bound, CLOCK_READ, GOALS, Goal};
use crate::bench::numbers::{count, nanos, or_none, whole};

/// Which figure a goal speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Figure {
    Nanos,
    Instructions,
    Allocations,
}

/// One figure of a goal, judged.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Judged {
    pub(super) figure: Figure,
    /// What was found; `None` where it wasn't measured.
    found: Option<f64>,
    /// What it may be; `None` where what it leans on wasn't measured.
    pub(super) most: Option<f64>,
}

impl Judged {
    /// Whether it is met, if that can be said.
    pub(super) fn is_met(&self) -> Option<bool> {
        Some(self.found? <= self.most?)
    }

    /// For a cell of a table: the figures, with the miss in bold.
    pub(super) fn text(&self) -> String {
        let show = match self.figure {
            Figure::Nanos => nanos,
            Figure::Instructions => whole,
            Figure::Allocations => count,
        };
        let figures = format!("{} of {}", or_none(self.found, show), or_none(self.most, show));
        match self.is_met() {
            Some(true) => format!("met: {figures}"),
            Some(false) => format!("**missed**: {figures}"),
            None => format!("not measured: {figures}"),
        }
    }
}

impl Goal {
    /// Each figure that it speaks of, against the run's.
    pub(super) fn judge(&self, calls: &[Call]) -> Vec<Judged> {
        self.bounds.iter().flat_map(|bound| judge(self, *bound, calls)).collect()
    }

    /// The goal as a formula.
    pub(super) fn text(&self) -> String {
        let texts: Vec<String> = self.bounds.iter().map(|bound| formula(*bound)).collect();
        texts.join("; ")
    }
}

fn judge(goal: &Goal, bound: Bound, calls: &[Call]) -> Vec<Judged> {
    let own = find(calls, goal.case, goal.column);
    let judged = |figure: Figure, most: Option<f64>| Judged {
        figure,
        found: own.and_then(|own| of(own, figure)),
        most,
    };
    let times = |factor: f64, other: Option<&Call>| {
        [Figure::Nanos, Figure::Instructions]
            .map(|figure| {
                judged(figure, other.and_then(|other| of(other, figure)).map(|other| factor * other))
            })
            .into()
    };
    match bound {
        Bound::Nanos(most) => vec![judged(Figure::Nanos, Some(most))],
        Bound::Instructions(most) => vec![judged(Figure::Instructions, Some(most))],
        Bound::Allocations(most) => vec![judged(Figure::Allocations, Some(f64::from(most)))],
        Bound::Times(factor, column) => times(factor, find(calls, goal.case, column)),
        Bound::TimesRow(factor, row) => times(factor, find(calls, row, goal.column)),
        Bound::Above { row, clock_reads, nanos } => {
            let nanos_in =
                |case: &str, column: &str| find(calls, case, column).and_then(|call| of(call, Figure::Nanos));
            let base = row.map_or(Some(0.0), |row| nanos_in(row, goal.column));
            let clock = nanos_in(CLOCK_READ.0, CLOCK_READ.1);
            // Without clock reads, none has to be measured.
            let reads = if clock_reads == 0 { Some(0.0) } else { clock };
            let most = base.zip(reads).map(|(base, read)| base + f64::from(clock_reads) * read + nanos);
            vec![judged(Figure::Nanos, most)]
        }
    }
}

fn of(call: &Call, figure: Figure) -> Option<f64> {
    match figure {
        Figure::Nanos => call.nanos.map(|nanos| nanos.median),
        Figure::Instructions => call.instructions,
        Figure::Allocations => Some(call.allocations),
    }
}

fn formula(bound: Bound) -> String {
    let times = |factor: f64, of: &str| match factor {
        1.0 => format!("<= {of}"),
        factor if (factor - 0.5).abs() < 1e-9 => format!("<= half of {of}"),
        factor if (factor - 1.0 / 3.0).abs() < 1e-9 => format!("<= a third of {of}"),
        factor => format!("<= {} x {of}", count(factor)),
    };
    match bound {
        Bound::Nanos(most) => format!("<= {} ns", count(most)),
        Bound::Instructions(most) => format!("<= {} instructions", count(most)),
        Bound::Allocations(1) => "<= 1 allocation".to_owned(),
        Bound::Allocations(0) => "0 allocations".to_owned(),
        Bound::Allocations(most) => format!("<= {most} allocations"),
        Bound::Times(factor, column) => times(factor, column),
        Bound::TimesRow(factor, row) => times(factor, &format!("`{row}`")),
        Bound::Above { row, clock_reads, nanos } => {
            let mut parts: Vec<String> = row.map(|row| format!("`{row}`")).into_iter().collect();
            match clock_reads {
                0 => {}
                1 => parts.push("one clock read".to_owned()),
                reads => parts.push(format!("{reads} clock reads")),
            }
            parts.push(format!("{} ns", count(nanos)));
            format!("<= {}", parts.join(" + "))
        }
    }
}

/// How many goals are met, by figure, of how many that can be judged.
pub(super) fn tally(calls: &[Call], figure: Figure) -> (usize, usize) {
    let judged: Vec<bool> = GOALS
        .iter()
        .flat_map(|goal| goal.judge(calls))
        .filter(|judged| judged.figure == figure)
        .filter_map(|judged| judged.is_met())
        .collect();
    (judged.iter().filter(|met| **met).count(), judged.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::goals::RECOURSE;

    fn judged(case: &'static str, bounds: &'static [Bound], calls: &[Call]) -> Vec<String> {
        let goal = Goal { case, column: RECOURSE, bounds };
        goal.judge(calls).iter().map(Judged::text).collect()
    }

    #[test]
    fn a_ratio_is_judged_by_nanoseconds_and_by_instructions() {
        let calls = [Call::of("all", RECOURSE, 40.0, 300.0), Call::of("all", "by-hand", 90.0, 500.0)];
        assert_eq!(
            judged("all", &[Bound::Times(0.5, "by-hand"), Bound::Allocations(0)], &calls),
            ["met: 40.0 of 45.0", "**missed**: 300 of 250", "met: 0 of 0"]
        );
    }

    #[test]
    fn a_sum_leans_on_another_row_and_on_the_clock() {
        let calls = [
            Call::of("plain", RECOURSE, 7.0, 70.0),
            Call::of("observed", RECOURSE, 79.0, 200.0),
            Call::of("clock-read", "bare", 28.0, 35.0),
        ];
        let most = Bound::Above { row: Some("plain"), clock_reads: 2, nanos: 15.0 };
        assert_eq!(formula(most), "<= `plain` + 2 clock reads + 15 ns");
        let bounds = const { &[Bound::Above { row: Some("plain"), clock_reads: 2, nanos: 15.0 }] };
        assert_eq!(judged("observed", bounds, &calls), ["**missed**: 79.0 of 78.0"]);
        assert_eq!(judged("observed", bounds, &calls[..2]), ["not measured: 79.0 of ?"]);
    }

    #[test]
    fn another_row_of_the_same_column_may_be_the_measure() {
        let calls =
            [Call::of("keys-1", RECOURSE, 10.0, 100.0), Call::of("keys-10000", RECOURSE, 15.0, 100.0)];
        let bounds = &[Bound::TimesRow(1.5, "keys-1")];
        assert_eq!(judged("keys-10000", bounds, &calls), ["met: 15.0 of 15.0", "met: 100 of 150"]);
    }

    #[test]
    fn a_row_without_the_column_is_not_measured() {
        let judged = judged("window", &[Bound::Times(0.5, "failsafe")], &[]);
        assert_eq!(judged, ["not measured: ? of ?", "not measured: ? of ?"]);
        assert_eq!(tally(&[], Figure::Nanos), (0, 0));
    }

    #[test]
    fn formulas_read_like_the_goals() {
        assert_eq!(formula(Bound::Times(1.0 / 3.0, "seatbelt")), "<= a third of seatbelt");
        assert_eq!(formula(Bound::Times(0.7, "seatbelt")), "<= 0.7 x seatbelt");
        assert_eq!(
            formula(Bound::Above { row: None, clock_reads: 1, nanos: 10.0 }),
            "<= one clock read + 10 ns"
        );
    }
}
