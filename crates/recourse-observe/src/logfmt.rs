//! [`logfmt`]: a call as one line of `key=value` pairs.

use crate::names;
use recourse_core::{Ending, Timeline};
use std::fmt::{self, Write};
use std::time::Duration;

/// Prints a call as one line of `key=value` pairs, as log stores read it.
///
/// In this order: `key`, `outcome` (`success` or `failure`), `stop` and `policy_id` where there is one, `attempts`
/// (those that were launched, hedges included), `hedges`, `denied`, `duration_ms`, every attribute of the timeline, and
/// `error` where there is one.
///
/// A value with anything in it that could end the value or the line stands in quotes, with `"`, `\` and control
/// characters escaped: an error's text can't forge a pair or a line. In an attribute's name such characters become `_`.
///
/// ```
/// use recourse_core::{Key, Moment, StopReason, Timeline};
/// use recourse_observe::logfmt;
///
/// let mut timeline = Timeline::new(Key::from_static("payments.Charge"), Moment::ZERO);
/// timeline.stop = Some(StopReason::CircuitOpen);
/// timeline.error = Some("the circuit is open".into());
/// assert_eq!(
///     logfmt(&timeline).to_string(),
///     r#"key=payments.Charge outcome=failure stop=circuit_open attempts=0 hedges=0 denied=0 duration_ms=0 error="the circuit is open""#
/// );
/// ```
#[must_use]
pub fn logfmt(timeline: &Timeline) -> impl fmt::Display + '_ {
    Line(timeline)
}

struct Line<'a>(&'a Timeline);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let timeline = self.0;
        let (mut hedges, mut denied) = (0_usize, 0_usize);
        for record in timeline.attempts() {
            match record.ending {
                Ending::Denied => denied += 1,
                _ => hedges += usize::from(record.is_hedge),
            }
        }
        write!(f, "{}={}", names::KEY, Value(timeline.key.as_str()))?;
        let outcome = if timeline.is_success() { "success" } else { "failure" };
        write!(f, " {}={outcome}", names::OUTCOME)?;
        if let Some(stop) = timeline.stop {
            write!(f, " {}={}", names::STOP, Value(stop.as_str()))?;
        }
        if !timeline.policy_id.is_empty() {
            write!(f, " {}={}", names::POLICY_ID, Value(&timeline.policy_id))?;
        }
        write!(f, " {}={}", names::ATTEMPTS, timeline.launched())?;
        write!(f, " {}={hedges} {}={denied}", names::HEDGES, names::DENIED)?;
        write!(f, " {}={}", names::DURATION_MS, millis(timeline.duration()))?;
        for (name, value) in timeline.attributes.iter() {
            write!(f, " {}={}", Name(name), Value(value))?;
        }
        if let Some(error) = &timeline.error {
            write!(f, " {}={}", names::ERROR, Value(error))?;
        }
        Ok(())
    }
}

/// Milliseconds, to the microsecond.
fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// Whether a character would end a bare name or value, or the line, or hide what stands behind it.
fn breaks(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '"' | '=' | '\\' | '\u{2028}' | '\u{2029}')
}

struct Name<'a>(&'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_char('_');
        }
        self.0.chars().try_for_each(|c| f.write_char(if breaks(c) { '_' } else { c }))
    }
}

struct Value<'a>(&'a str);

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.is_empty() && !self.0.contains(breaks) {
            return f.write_str(self.0);
        }
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                    write!(f, "\\u{:04x}", u32::from(c))?;
                }
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use recourse_core::{AttemptRecord, Key, Moment, StopReason};

    fn timeline() -> Timeline {
        Timeline::new(Key::from_static("payments.Charge"), Moment::ZERO)
    }

    /// What a reader of logfmt makes of a line.
    fn parse(line: &str) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        let mut rest = line.chars().peekable();
        while rest.peek().is_some() {
            let name: String = rest.by_ref().take_while(|c| *c != '=').collect();
            let mut value = String::new();
            if rest.next_if_eq(&'"').is_some() {
                while let Some(c) = rest.next().filter(|c| *c != '"') {
                    value.push(match (c, if c == '\\' { rest.next() } else { None }) {
                        ('\\', Some('n')) => '\n',
                        ('\\', Some('r')) => '\r',
                        ('\\', Some('t')) => '\t',
                        ('\\', Some('u')) => {
                            let code: String = rest.by_ref().take(4).collect();
                            u32::from_str_radix(&code, 16).ok().and_then(char::from_u32).expect("a code")
                        }
                        (_, Some(escaped)) => escaped,
                        (plain, None) => plain,
                    });
                }
                assert!(matches!(rest.next(), None | Some(' ')), "{line}");
            } else {
                value = rest.by_ref().take_while(|c| *c != ' ').collect();
            }
            pairs.push((name, value));
        }
        pairs
    }

    #[test]
    fn a_call_is_one_line_of_pairs() {
        let mut timeline = timeline();
        for (attempt, ending, hedge_index) in [
            (0, Ending::Failed, 0),
            (1, Ending::Superseded, 0),
            (1, Ending::Failed, 1),
            (1, Ending::Denied, 2),
            (2, Ending::Denied, 0),
        ] {
            let mut record = AttemptRecord::new(attempt, Moment::ZERO);
            (record.ending, record.hedge_index, record.is_hedge) = (ending, hedge_index, hedge_index > 0);
            timeline.push(record);
        }
        timeline.policy_id = "p7".into();
        timeline.end = Moment::from_nanos(41_200_000);
        timeline.stop = Some(StopReason::BudgetDenied);
        timeline.attributes.set("policy_source", "static");
        timeline.error = Some("GET answered 503".into());
        assert_eq!(
            logfmt(&timeline).to_string(),
            "key=payments.Charge outcome=failure stop=budget_denied policy_id=p7 attempts=3 hedges=1 denied=2 \
             duration_ms=41.2 policy_source=static error=\"GET answered 503\""
        );
    }

    #[test]
    fn a_success_has_neither_stop_nor_error() {
        assert_eq!(
            logfmt(&timeline()).to_string(),
            "key=payments.Charge outcome=success attempts=0 hedges=0 denied=0 duration_ms=0"
        );
    }

    #[test]
    fn no_value_can_forge_a_pair_or_a_line_and_each_is_read_back_as_it_was() {
        for text in [
            "",
            "plain",
            "two words",
            "a=b",
            "say \"no\"",
            "back\\slash",
            "line\nkey=forged",
            "cr\rtab\tnul\0escape\u{1b}[31m",
            "next\u{85}line\u{2028}paragraph\u{2029}end",
            "gr\u{fc}n",
            "\"",
            "\\",
        ] {
            let mut timeline = timeline();
            timeline.attributes.set("note", text);
            timeline.error = Some(text.into());
            let line = logfmt(&timeline).to_string();
            assert!(
                !line.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')),
                "{line:?}"
            );
            let pairs = parse(&line);
            assert_eq!(pairs.len(), 8, "{line}");
            assert_eq!(pairs[6], ("note".to_owned(), text.to_owned()));
            assert_eq!(pairs[7], ("error".to_owned(), text.to_owned()));
        }
    }

    #[test]
    fn an_attribute_name_can_forge_nothing_either() {
        let mut timeline = timeline();
        timeline.attributes.set("a b=\"c\"\n", "1");
        timeline.attributes.set("", "2");
        let line = logfmt(&timeline).to_string();
        assert!(line.ends_with(" a_b__c__=1 _=2"), "{line}");
    }

    #[test]
    fn a_duration_is_told_to_the_microsecond() {
        assert_eq!(millis(Duration::from_nanos(1_234_567)).to_string(), "1.235");
        assert_eq!(millis(Duration::from_secs(3_600)).to_string(), "3600000");
        assert_eq!(millis(Duration::from_nanos(400)).to_string(), "0");
    }
}
