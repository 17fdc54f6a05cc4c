//! Fields, variants and constants of a file, each with its doc comment.

use anyhow::{Context, Result, anyhow};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A public field, a variant, or a public constant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its name.
    pub(crate) name: String,
    /// Its doc comment's first paragraph, in one line.
    pub(crate) doc: String,
    /// What follows the name: a field's type, a constant's type and value, a variant's content.
    pub(crate) rest: String,
}

/// The public fields of the struct, or the variants of the enum, in their order.
///
/// # Errors
///
/// When the text isn't Rust or has no such type.
pub(crate) fn entries_of(text: &str, type_name: &str) -> Result<Vec<Entry>> {
    let tokens = lex(text)?;
    let at = tokens
        .windows(2)
        .position(|pair| {
            ["struct", "enum"].contains(&pair[0].to_string().as_str()) && pair[1].to_string() == type_name
        })
        .with_context(|| format!("there is no {type_name}"))?;
    let is_struct = tokens[at].to_string() == "struct";
    let body = tokens[at..]
        .iter()
        .find_map(|token| match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group.stream()),
            _ => None,
        })
        .with_context(|| format!("{type_name} has no body"))?;
    let body: Vec<TokenTree> = body.into_iter().collect();
    Ok(split(&body, ',').into_iter().filter_map(|part| entry(part, is_struct)).collect())
}

/// The public constants of the file, in their order.
///
/// # Errors
///
/// When the text isn't Rust.
pub(crate) fn constants_of(text: &str) -> Result<Vec<Entry>> {
    let tokens = lex(text)?;
    Ok(split(&tokens, ';')
        .into_iter()
        .filter_map(|part| {
            // The word `const` stands where a field has its name.
            let found = entry(part, true).filter(|found| found.name == "const")?;
            let (name, rest) = found.rest.split_once(':')?;
            Some(Entry { name: name.trim().to_owned(), rest: rest.trim().to_owned(), doc: found.doc })
        })
        .collect())
}

/// `#[doc = ".."]... [pub] name rest`.
fn entry(part: &[TokenTree], public_only: bool) -> Option<Entry> {
    let mut doc = String::new();
    let mut at = 0;
    while part.get(at).is_some_and(|token| token.to_string() == "#") {
        match part.get(at + 1)? {
            TokenTree::Group(attribute) => {
                doc += &doc_line(attribute.stream());
                at += 2;
            }
            // An inner attribute speaks of the file.
            _ => at += 3,
        }
    }
    let public = part.get(at).is_some_and(|token| token.to_string() == "pub");
    if public {
        at += 1;
    } else if public_only {
        return None;
    }
    let TokenTree::Ident(name) = part.get(at)? else {
        return None;
    };
    let rest: TokenStream = part[at + 1..].iter().cloned().collect();
    Some(Entry { name: name.to_string(), doc: first_paragraph(&doc), rest: compact(&rest.to_string()) })
}

fn doc_line(attribute: TokenStream) -> String {
    let tokens: Vec<TokenTree> = attribute.into_iter().collect();
    match tokens.as_slice() {
        [TokenTree::Ident(name), TokenTree::Punct(_), TokenTree::Literal(text)] if name == "doc" => {
            let text = text.to_string();
            let inner = text.trim_start_matches('r').trim_matches('#').trim_matches('"');
            let line = inner.replace("\\\"", "\"").replace("\\'", "'").replace("\\\\", "\\");
            format!("{}\n", line.trim())
        }
        _ => String::new(),
    }
}

fn first_paragraph(doc: &str) -> String {
    let lines: Vec<&str> = doc.lines().take_while(|line| !line.is_empty()).collect();
    lines.join(" ")
}

/// The spaces that the lexer puts round signs, taken out again.
fn compact(text: &str) -> String {
    let mut text = text.trim_start_matches([':', ' ']).to_owned();
    for (spaced, tight) in [
        (" :: ", "::"),
        (" < ", "<"),
        (" > ", ">"),
        (" >", ">"),
        ("< ", "<"),
        ("& ", "&"),
        (" ,", ","),
        (" (", "("),
        ("( ", "("),
        (" )", ")"),
        (" [", "["),
        ("[ ", "["),
        (" ]", "]"),
        ("' ", "'"),
    ] {
        text = text.replace(spaced, tight);
    }
    text.trim().to_owned()
}

fn lex(text: &str) -> Result<Vec<TokenTree>> {
    let stream: TokenStream = text.parse().map_err(|error| anyhow!("not Rust: {error}"))?;
    Ok(stream.into_iter().collect())
}

/// The parts between separators that stand outside of `<..>`.
fn split(tokens: &[TokenTree], separator: char) -> Vec<&[TokenTree]> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (0, 0_i32);
    for (at, token) in tokens.iter().enumerate() {
        if let TokenTree::Punct(sign) = token {
            match sign.as_char() {
                '<' => depth += 1,
                '>' => depth -= 1,
                sign if sign == separator && depth <= 0 => {
                    parts.push(&tokens[start..at]);
                    start = at + 1;
                }
                _ => {}
            }
        }
    }
    parts.push(&tokens[start..]);
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(entries: &[Entry]) -> Vec<(&str, &str, &str)> {
        entries.iter().map(|entry| (entry.name.as_str(), entry.rest.as_str(), entry.doc.as_str())).collect()
    }

    #[test]
    fn a_structs_public_fields_come_with_type_and_first_paragraph() {
        let text = "
            /// Doc.
            pub struct Record<'a> {
                /// The wait,
                /// before it.
                ///
                /// More.
                #[serde(default)]
                pub wait: Option<Duration>,
                hidden: u8,
                /// A \"pair\".
                pub pair: HashMap<String, u32>,
            }";
        assert_eq!(
            plain(&entries_of(text, "Record").unwrap()),
            [
                ("wait", "Option<Duration>", "The wait, before it."),
                ("pair", "HashMap<String, u32>", "A \"pair\"."),
            ]
        );
        assert!(entries_of(text, "Other").is_err());
    }

    #[test]
    fn an_enums_variants_come_with_their_docs() {
        let text = "pub enum Stop { /// It broke.\n Broken, /// In a part.\n PanicIn(Component) }";
        assert_eq!(
            plain(&entries_of(text, "Stop").unwrap()),
            [("Broken", "", "It broke."), ("PanicIn", "(Component)", "In a part.")]
        );
    }

    #[test]
    fn constants_come_with_their_values() {
        let text = "//! File.\n/// Few.\npub const A: u32 = 3;\nconst B: u32 = 4;\n/// Short.\npub const C: Duration = Duration::from_millis(10);";
        assert_eq!(
            plain(&constants_of(text).unwrap()),
            [("A", "u32 = 3", "Few."), ("C", "Duration = Duration::from_millis(10)", "Short.")]
        );
    }
}
