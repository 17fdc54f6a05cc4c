//! What a log store makes of a line of `key=value` pairs; it knows nothing of who wrote it.

use std::iter::Peekable;
use std::str::Chars;

/// The pairs of a line, each value as it was before it was quoted.
///
/// # Panics
///
/// If the line is not pairs with one blank between them.
pub(crate) fn pairs(line: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = line.chars().peekable();
    loop {
        let name: String = std::iter::from_fn(|| rest.next_if(|c| *c != '=')).collect();
        assert!(!name.is_empty() && !name.contains([' ', '"']), "{name:?} is no name in {line:?}");
        assert_eq!(rest.next(), Some('='), "no value behind {name:?} in {line:?}");
        let value = match rest.next_if_eq(&'"') {
            Some(_) => quoted(&mut rest),
            None => std::iter::from_fn(|| rest.next_if(|c| *c != ' ')).collect(),
        };
        pairs.push((name, value));
        match rest.next() {
            None => return pairs,
            Some(blank) => assert_eq!(blank, ' ', "something follows a quoted value in {line:?}"),
        }
    }
}

fn quoted(rest: &mut Peekable<Chars<'_>>) -> String {
    let mut value = String::new();
    loop {
        match rest.next().expect("a quoted value ends") {
            '"' => return value,
            '\\' => value.push(escaped(rest)),
            plain => value.push(plain),
        }
    }
}

fn escaped(rest: &mut Peekable<Chars<'_>>) -> char {
    match rest.next().expect("something follows a backslash") {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let code: String = rest.take(4).collect();
            u32::from_str_radix(&code, 16).ok().and_then(char::from_u32).expect("four digits of a character")
        }
        plain => plain,
    }
}
