//! How a timeline prints: a head line, one line an attempt on a time axis, and why the call ended.

use crate::timeline::{AttemptRecord, Ending, Timeline};
use std::fmt::{self, Write};
use std::time::Duration;

/// Columns of the time axis.
const WIDTH: usize = 32;

impl fmt::Display for Timeline {
    /// One line an attempt, drawn on a time axis; plain text, no trailing newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.is_success() { "success" } else { "failure" };
        write!(f, "{} {verdict} in {}", OneLine(&self.key), short(self.duration()))?;
        match self.launched() {
            1 => f.write_str(", 1 attempt")?,
            many => write!(f, ", {many} attempts")?,
        }
        if !self.policy_id.is_empty() {
            write!(f, ", policy {}", OneLine(&self.policy_id))?;
        }
        for record in self.attempts() {
            f.write_str("\n")?;
            self.line(record, f)?;
        }
        if let Some(stop) = self.stop {
            write!(f, "\n  stopped: {stop}")?;
            if let Some(error) = &self.error {
                write!(f, ": {}", OneLine(error))?;
            }
        }
        if !self.attributes.is_empty() {
            write!(f, "\n  {}", OneLine(&self.attributes))?;
        }
        Ok(())
    }
}

impl Timeline {
    fn line(&self, record: &AttemptRecord, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match record.hedge_index {
            0 => format!("#{}", record.attempt),
            hedge => format!("#{} hedge {hedge}", record.attempt),
        };
        write!(f, "  {name:<10} |{}|", self.bar(record))?;
        write!(f, " {:>8} +{:<8}", short(record.start.since(self.start)), short(record.duration()))?;
        write!(f, " {:<10}", record.ending)?;
        match record.ending {
            Ending::Denied => write!(f, " {}", OneLine(&record.budget_reason))?,
            _ => write!(f, " {}", OneLine(&record.outcome.reason))?,
        }
        if !record.backoff.is_zero() {
            write!(f, ", after {} of backoff", short(record.backoff))?;
        }
        if !record.outcome.attributes.is_empty() {
            write!(f, " [{}]", OneLine(&record.outcome.attributes))?;
        }
        if let Some(error) = &record.error {
            write!(f, ": {}", OneLine(error))?;
        }
        Ok(())
    }

    /// `.` for the backoff before the attempt, `=` while it ran, and a last sign that says how it ended.
    fn bar(&self, record: &AttemptRecord) -> String {
        let whole = self.duration().as_nanos().max(1);
        let at = |moment: crate::Moment| {
            let column = moment.since(self.start).as_nanos() * (WIDTH as u128 - 1) / whole;
            usize::try_from(column).unwrap_or(WIDTH).min(WIDTH - 1)
        };
        let (start, end) = (at(record.start), at(record.end));
        let waited = record.start.since(self.start).saturating_sub(record.backoff);
        let wait_from = at(self.start + waited);
        (0..WIDTH)
            .map(|column| match column {
                _ if column == end => mark(record.ending),
                _ if column >= start && column < end => '=',
                _ if column >= wait_from && column < start => '.',
                _ => ' ',
            })
            .collect()
    }
}

const fn mark(ending: Ending) -> char {
    match ending {
        Ending::Open => '?',
        Ending::Won => '*',
        Ending::Failed => 'x',
        Ending::TimedOut => 't',
        Ending::Superseded => '-',
        Ending::Cancelled => '/',
        Ending::Denied => '!',
        Ending::Panicked => '#',
    }
}

/// A text on one line: errors, names and values may hold any character, and must not look like a line of the timeline.
struct OneLine<T>(T);

impl<T: fmt::Display> fmt::Display for OneLine<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

/// Writes what would end a line, or move the cursor, as its escape.
struct Escaping<'a, 'f>(&'a mut fmt::Formatter<'f>);

impl fmt::Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for part in text.split_inclusive(breaks) {
            match part.char_indices().next_back() {
                Some((at, last)) if breaks(last) => {
                    write!(self.0, "{}{}", &part[..at], last.escape_default())?
                }
                _ => self.0.write_str(part)?,
            }
        }
        Ok(())
    }
}

fn breaks(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// A duration in at most seven columns, up to ten days; the bounds are where a unit's number would be rounded to
/// a thousand.
fn short(duration: Duration) -> String {
    match duration.as_secs_f64() {
        0.0 => "0".to_owned(),
        s if s < 1e-6 => format!("{}ns", duration.as_nanos()),
        s if s < 999.95e-6 => format!("{:.1}µs", s * 1e6),
        s if s < 999.95e-3 => format!("{:.1}ms", s * 1e3),
        s if s < 99.995 => format!("{s:.2}s"),
        s => format!("{s:.0}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Key, Moment, Outcome, StopReason};

    fn ms(millis: u64) -> Moment {
        Moment::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn an_error_of_several_lines_stays_on_its_line() {
        let mut timeline = Timeline::new(Key::from_static("svc.op"), ms(0));
        let mut record = AttemptRecord::new(0, ms(0));
        record.error = Some("down\n  stopped: \u{1b}[31mlies\r".into());
        timeline.push(record);
        let drawn = timeline.to_string();
        assert_eq!(drawn.lines().count(), 2, "{drawn}");
        assert!(drawn.contains(r"down\n  stopped: \u{1b}[31mlies\r"), "{drawn}");
    }

    #[test]
    fn no_key_name_or_value_can_forge_a_line() {
        let forged = "x\n  #7         |*|\r\u{85}\u{2028}";
        let mut timeline = Timeline::new(Key::new(&format!("svc.{forged}y")).unwrap(), ms(0));
        timeline.policy_id = forged.into();
        timeline.stop = Some(StopReason::BudgetDenied);
        timeline.attributes.set("note", forged);
        timeline.attributes.set(forged, "note");
        let mut failed = AttemptRecord::new(0, ms(0));
        failed.outcome = Outcome::retryable(forged).with_attribute("method", forged);
        let mut denied = AttemptRecord::new(1, ms(0));
        (denied.ending, denied.budget_reason) = (Ending::Denied, forged.into());
        timeline.push(failed);
        timeline.push(denied);
        let drawn = timeline.to_string();
        assert_eq!(drawn.lines().count(), 5, "{drawn}");
        assert!(drawn.split('\n').all(|line| !line.contains(breaks)), "{drawn:?}");
        assert_eq!(drawn.matches(r"x\n  #7         |*|\r\u{85}\u{2028}").count(), 7, "{drawn}");
    }

    #[test]
    fn a_duration_is_short_also_where_its_number_is_rounded_up() {
        for (nanos, shown) in [
            (999, "999ns"),
            (999_949, "999.9µs"),
            (999_950, "1.0ms"),
            (999_949_999, "999.9ms"),
            (999_950_000, "1.00s"),
            (99_994_999_999, "99.99s"),
            (99_995_000_000, "100s"),
        ] {
            assert_eq!(short(Duration::from_nanos(nanos)), shown);
        }
    }

    #[test]
    fn a_retried_and_hedged_call_is_drawn_line_by_line() {
        let mut timeline = Timeline::new(Key::from_static("payments.Charge"), ms(100));
        let mut first = AttemptRecord::new(0, ms(100));
        (first.end, first.ending) = (ms(110), Ending::Failed);
        first.outcome = Outcome::retryable("http_503").with_attribute("status", "503");
        first.error = Some("GET answered 503".into());
        let mut second = AttemptRecord::new(1, ms(130));
        (second.end, second.ending, second.backoff) =
            (ms(164), Ending::Superseded, Duration::from_millis(20));
        second.outcome = Outcome::abort("context_canceled");
        let mut hedge = AttemptRecord::new(1, ms(150));
        (hedge.end, hedge.ending, hedge.outcome) = (ms(164), Ending::Won, Outcome::success());
        (hedge.is_hedge, hedge.hedge_index) = (true, 1);
        for record in [first, second, hedge] {
            timeline.push(record);
        }
        timeline.end = ms(164);
        timeline.attributes.set("policy_source", "static");
        let drawn = timeline.to_string();
        let expected = [
            "payments.Charge success in 64.0ms, 3 attempts",
            "  #0         |====x                           |        0 +10.0ms   failed     http_503 [status=503]: GET answered 503",
            "  #1         |    ..........=================-|   30.0ms +34.0ms   superseded context_canceled, after 20.0ms of backoff",
            "  #1 hedge 1 |                        =======*|   50.0ms +14.0ms   won        success",
            "  policy_source=static",
        ];
        assert_eq!(drawn.lines().count(), expected.len(), "{drawn}");
        for (got, want) in drawn.lines().zip(expected) {
            assert_eq!(
                got.split_whitespace().collect::<Vec<_>>(),
                want.split_whitespace().collect::<Vec<_>>(),
                "{drawn}"
            );
        }
        assert!(
            drawn
                .lines()
                .skip(1)
                .take(3)
                .all(|line| line.rfind("| ") == drawn.lines().nth(1).unwrap().rfind("| "))
        );
    }

    #[test]
    fn a_call_without_attempts_says_why() {
        let mut timeline = Timeline::new(Key::from_static("a.b"), Moment::ZERO);
        timeline.stop = Some(StopReason::CircuitOpen);
        assert_eq!(timeline.to_string(), "a.b failure in 0, 0 attempts\n  stopped: circuit_open");
    }
}
