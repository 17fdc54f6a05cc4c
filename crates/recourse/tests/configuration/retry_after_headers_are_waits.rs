//! What the quickstart's client makes of a `Retry-After`: never less of a wait than the server asked for.

#[path = "../../examples/quickstart/retry_after.rs"]
mod header;

use self::header::retry_after;
use std::time::Duration;

const NOW: &str = "Fri, 31 Dec 1999 23:59:29 GMT";

fn seconds(seconds: u64) -> Option<Duration> {
    Some(Duration::from_secs(seconds))
}

#[test]
fn seconds_are_seconds_also_where_there_are_more_than_can_be_counted() {
    for (text, wait) in [("120", 120), ("0", 0), ("007", 7), ("18446744073709551615", u64::MAX)] {
        assert_eq!(retry_after(text, Some(NOW)), seconds(wait), "{text}");
    }
    for text in ["18446744073709551616", "99999999999999999999999999"] {
        assert_eq!(retry_after(text, None), seconds(u64::MAX), "{text}");
    }
}

#[test]
fn a_date_counts_from_the_servers_own() {
    for text in
        ["Fri, 31 Dec 1999 23:59:59 GMT", "Friday, 31-Dec-99 23:59:59 GMT", "Fri Dec 31 23:59:59 1999"]
    {
        assert_eq!(retry_after(text, Some(NOW)), seconds(30), "{text}");
        assert_eq!(retry_after(text, None), None);
        assert_eq!(retry_after(text, Some("now")), None);
    }
    assert_eq!(retry_after(NOW, Some("Sat, 01 Jan 2000 00:00:00 GMT")), None);
}

#[test]
fn what_is_neither_asks_for_nothing() {
    for text in ["", " ", "-5", "+5", "1.5", "5s", "soon", "\u{665}", "Fri, 31 Dec 1999"] {
        assert_eq!(retry_after(text, Some(NOW)), None, "{text:?}");
    }
}
