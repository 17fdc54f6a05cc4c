//! What ends a line, on a terminal or in a log.

/// Whether a character ends a line or moves the cursor.
pub(crate) fn breaks_a_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Fails where a text is not one line.
#[track_caller]
pub(crate) fn assert_one_line(text: &str) {
    assert!(!text.contains(breaks_a_line), "this is not one line: {text:?}");
}
