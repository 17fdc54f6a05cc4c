//! The drawing: a head line, a line an attempt, the stop and the attributes; and nothing forges a line.

use crate::lines::{assert_one_line, breaks_a_line};
use recourse_core::{AttemptRecord, Ending, Timeline};
use std::time::Duration;

/// Columns of the time axis.
const WIDTH: usize = 32;

/// Bytes that one byte of a text becomes at most: a control character is written as `\u{1b}`.
const LONGEST_ESCAPE: usize = 6;

/// Bytes of a line beside its texts, at most.
const LONGEST_LINE: usize = 300;

pub(super) fn check(timeline: &Timeline) {
    let drawn = timeline.to_string();
    let lines: Vec<&str> = drawn.split('\n').collect();
    lines.iter().for_each(|line| assert_one_line(line));
    let attempts = timeline.attempts();
    let (stop, notes) = (timeline.stop.is_some(), !timeline.attributes.is_empty());
    assert_eq!(lines.len(), 1 + attempts.len() + usize::from(stop) + usize::from(notes), "{drawn}");
    assert!(
        drawn.len() <= lines.len() * LONGEST_LINE + LONGEST_ESCAPE * texts(timeline),
        "{} bytes",
        drawn.len()
    );

    head(timeline, lines[0]);
    for (record, line) in attempts.iter().zip(&lines[1..]) {
        attempt(timeline, record, line);
    }
    let mut rest = lines[1 + attempts.len()..].iter();
    if let Some(stop) = timeline.stop {
        let line = rest.next().expect("a line for the stop");
        assert!(line.starts_with(&format!("  stopped: {stop}")), "{line}");
        timeline.error.iter().for_each(|error| shows(line, error));
    }
    for (name, value) in timeline.attributes.iter() {
        let line = lines[lines.len() - 1];
        shows(line, name);
        shows(line, value);
    }
}

fn head(timeline: &Timeline, line: &str) {
    shows(line, timeline.key.as_str());
    shows(line, &timeline.policy_id);
    let verdict = if timeline.is_success() { " success in " } else { " failure in " };
    shows(line, verdict);
    let attempts = timeline.attempts().iter().filter(|record| record.ending != Ending::Denied).count();
    shows(line, &format!(", {attempts} attempt"));
}

fn attempt(timeline: &Timeline, record: &AttemptRecord, line: &str) {
    let name = match record.hedge_index {
        0 => format!("  #{}", record.attempt),
        hedge => format!("  #{} hedge {hedge}", record.attempt),
    };
    let rest = line.strip_prefix(&name).expect("the attempt's name");
    let rest = rest.trim_start_matches(' ').strip_prefix('|').expect("the axis");
    let (bar, rest) = rest.split_once('|').expect("the end of the axis");
    bar_is_sound(record, bar);
    let (since, rest) = rest.split_once('+').expect("when it started");
    let took = rest.split(' ').next().unwrap_or_default();
    duration_is_sound(
        since.trim_start_matches(' ').trim_end_matches(' '),
        record.start.since(timeline.start),
    );
    duration_is_sound(took, record.duration());
    shows(rest, &format!(" {}", record.ending));
    shows(rest, if record.ending == Ending::Denied { &record.budget_reason } else { &record.outcome.reason });
    record.error.iter().for_each(|error| shows(rest, error));
    for (name, value) in record.outcome.attributes.iter() {
        shows(rest, name);
        shows(rest, value);
    }
}

/// Waiting, then running, then one sign for the end. An attempt that ended before it started has the one sign all the
/// same.
fn bar_is_sound(record: &AttemptRecord, bar: &str) {
    const MARKS: [char; 8] = ['?', '*', 'x', 't', '-', '/', '!', '#'];
    assert_eq!(bar.chars().count(), WIDTH, "{bar:?}");
    assert_eq!(bar.matches(MARKS).count(), 1, "{bar:?}");
    assert!(bar.chars().all(|sign| MARKS.contains(&sign) || [' ', '.', '='].contains(&sign)), "{bar:?}");
    if record.end >= record.start {
        let run = bar.trim_start_matches(' ').trim_start_matches('.').trim_start_matches('=');
        assert!(run.trim_end_matches(' ').len() == 1, "{bar:?}");
    }
}

/// At most seven columns up to ten days, and a unit of which there is less than a thousand.
fn duration_is_sound(shown: &str, duration: Duration) {
    if duration < Duration::from_secs(10 * 86_400) {
        assert!(shown.chars().count() <= 7, "{shown:?} for {duration:?}");
    }
    let number = shown.trim_end_matches(char::is_alphabetic);
    let number: f64 = number.parse().expect("a duration is a number and a unit");
    let nanos = number
        * match &shown[shown.len().min(shown.find(char::is_alphabetic).unwrap_or(shown.len()))..] {
            "ns" => 1.0,
            "µs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "" => 0.0,
            unit => panic!("{unit:?} is no unit"),
        };
    let real = duration.as_secs_f64() * 1e9;
    assert!((nanos - real).abs() <= real / 19.0, "{shown:?} for {duration:?}");
}

/// The text stands in the line as it is, unless something in it had to be written in another way.
#[track_caller]
fn shows(line: &str, text: &str) {
    assert!(text.contains(breaks_a_line) || line.contains(text), "{text:?} is not in {line:?}");
}

/// Bytes of every text that is drawn.
fn texts(timeline: &Timeline) -> usize {
    let notes = |attributes: &recourse_core::Attributes| -> usize {
        attributes.iter().map(|(name, value)| name.len() + value.len() + 2).sum()
    };
    let length = |text: &Option<recourse_core::Label>| text.as_ref().map_or(0, |text| text.len());
    let attempt = |record: &AttemptRecord| {
        record.outcome.reason.len()
            + record.budget_reason.len()
            + length(&record.error)
            + notes(&record.outcome.attributes)
    };
    timeline.key.as_str().len()
        + timeline.policy_id.len()
        + length(&timeline.error)
        + notes(&timeline.attributes)
        + timeline.attempts().iter().map(attempt).sum::<usize>()
}
