//! How a number is shown.

/// Nanoseconds, to three digits or the next whole number.
pub(super) fn nanos(value: f64) -> String {
    if value < 99.95 { format!("{value:.1}") } else { whole(value) }
}

/// A count that may have a rest, of allocations say.
pub(super) fn count(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// To the next whole number, with commas.
pub(super) fn whole(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < -0.5 { format!("-{text}") } else { text }
}

/// A figure that may not be there.
pub(super) fn or_none(value: Option<f64>, show: fn(f64) -> String) -> String {
    value.map_or_else(|| "?".to_owned(), show)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_have_commas() {
        assert_eq!([0.84, 12.14, 99.96, 1593.4].map(nanos), ["0.8", "12.1", "100", "1,593"]);
        assert_eq!([0.0, 1.0, 3.001].map(count), ["0", "1", "3.001"]);
        assert_eq!([0.0, 999.0, 1e6, -1234.0].map(whole), ["0", "999", "1,000,000", "-1,234"]);
        assert_eq!(or_none(None, whole), "?");
    }
}
