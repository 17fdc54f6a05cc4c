//! [`mentions()`]: every path that a file names.

use crate::rust_code::use_tree::leaves;
use anyhow::{Result, anyhow};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// A path in the code, such as `crate::policy::limits` or `Instant::now`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mention {
    /// Its segments; a glob's last one is `*`.
    pub(crate) segments: Vec<String>,
    /// The line, from 1.
    pub(crate) line: usize,
    /// The modules written inside the file that it stands in.
    pub(crate) inline_modules: Vec<String>,
    /// Whether only tests see it: under `#[cfg(test)]` or `#[test]`.
    pub(crate) in_test: bool,
    /// What a use declaration makes of it; `None` elsewhere.
    pub(crate) import: Option<Import>,
}

/// A path's role in a use declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Import {
    /// The name that it brings in; `*` for a glob.
    pub(crate) name: String,
    /// Whether others see the name through this module.
    pub(crate) reexport: bool,
}

/// Every path of the file that is a use declaration or has at least two segments.
///
/// # Errors
///
/// When the text isn't Rust.
pub(crate) fn mentions(text: &str) -> Result<Vec<Mention>> {
    let stream: TokenStream = text.parse().map_err(|error| anyhow!("not Rust: {error}"))?;
    let mut found = Vec::new();
    let place = Place { inline_modules: Vec::new(), in_test: false };
    walk(stream, &place, &mut found);
    Ok(found)
}

/// Where the walk is.
#[derive(Clone)]
struct Place {
    inline_modules: Vec<String>,
    in_test: bool,
}

fn walk(stream: TokenStream, place: &Place, found: &mut Vec<Mention>) {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    // Whether the item that begins here is for tests, and whether it is public to anyone.
    let (mut for_tests, mut public) = (false, false);
    let mut at = 0;
    while at < tokens.len() {
        let here = Place { in_test: place.in_test || for_tests, ..place.clone() };
        match &tokens[at] {
            TokenTree::Punct(sign) if sign.as_char() == '#' => {
                let bang = usize::from(is_sign(tokens.get(at + 1), '!'));
                if let Some(TokenTree::Group(attribute)) = tokens.get(at + 1 + bang) {
                    for_tests |= is_for_tests(attribute);
                    at += 1 + bang;
                }
            }
            TokenTree::Punct(sign) if sign.as_char() == ';' => (for_tests, public) = (false, false),
            TokenTree::Ident(word) if word == "pub" => public = true,
            TokenTree::Ident(word) if word == "use" && !is_sign(tokens.get(at + 1), '<') => {
                let end = position(&tokens, at, |token| is_sign(Some(token), ';'));
                let line = word.span().start().line;
                found.extend(leaves(&tokens[at + 1..end]).into_iter().map(|leaf| Mention {
                    segments: leaf.segments,
                    line,
                    inline_modules: here.inline_modules.clone(),
                    in_test: here.in_test,
                    import: Some(Import { name: leaf.name, reexport: public }),
                }));
                (for_tests, public) = (false, false);
                at = end;
            }
            TokenTree::Ident(word) if word == "mod" => {
                if let (Some(TokenTree::Ident(name)), Some(TokenTree::Group(body))) =
                    (tokens.get(at + 1), tokens.get(at + 2))
                {
                    let mut inside = here;
                    inside.inline_modules.push(name.to_string());
                    walk(body.stream(), &inside, found);
                    (for_tests, public) = (false, false);
                    at += 2;
                }
            }
            TokenTree::Ident(word) if !follows_path(&tokens, at) => {
                let (segments, end) = path(&tokens, at);
                if segments.len() > 1 {
                    found.push(Mention {
                        segments,
                        line: word.span().start().line,
                        inline_modules: here.inline_modules,
                        in_test: here.in_test,
                        import: None,
                    });
                }
                at = end;
            }
            TokenTree::Group(group) => {
                walk(group.stream(), &here, found);
                if group.delimiter() == Delimiter::Brace {
                    (for_tests, public) = (false, false);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// The path that begins at `at`, and the place of its last segment.
fn path(tokens: &[TokenTree], at: usize) -> (Vec<String>, usize) {
    let mut segments = vec![tokens[at].to_string()];
    let mut end = at;
    while is_sign(tokens.get(end + 1), ':') && is_sign(tokens.get(end + 2), ':') {
        let Some(TokenTree::Ident(next)) = tokens.get(end + 3) else {
            break;
        };
        segments.push(next.to_string());
        end += 3;
    }
    (segments, end)
}

fn follows_path(tokens: &[TokenTree], at: usize) -> bool {
    at >= 2 && is_sign(tokens.get(at - 1), ':') && is_sign(tokens.get(at - 2), ':')
}

/// `test`, `tokio::test`, `cfg(test)` and `cfg(all(test, ..))`; not `cfg(not(test))`.
fn is_for_tests(attribute: &Group) -> bool {
    let text = attribute.stream().to_string().replace(' ', "");
    text == "test"
        || text.ends_with("::test")
        || text.starts_with("cfg(test")
        || text.starts_with("cfg(all(test")
}

fn is_sign(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(found)) if found.as_char() == sign)
}

fn position(tokens: &[TokenTree], from: usize, matches: impl Fn(&TokenTree) -> bool) -> usize {
    tokens[from..].iter().position(matches).map_or(tokens.len(), |offset| from + offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        mentions(text)
            .unwrap()
            .into_iter()
            .map(|mention| {
                let kind = match &mention.import {
                    Some(import) if import.reexport => "pub use ",
                    Some(_) => "use ",
                    None => "",
                };
                let test = if mention.in_test { " (test)" } else { "" };
                format!("{} {kind}{}{test}", mention.line, mention.segments.join("::"))
            })
            .collect()
    }

    #[test]
    fn paths_are_found_in_code_and_macros_and_not_in_comments_or_texts() {
        let text = "//! Instant::now\nuse a::B;\npub(crate) use c::D;\nfn f() { // x::y\n    m!(Instant::now(), \"p::q\");\n    std::time::Instant::now();\n}\n";
        assert_eq!(
            lines(text),
            ["2 use a::B", "3 pub use c::D", "5 Instant::now", "6 std::time::Instant::now"]
        );
    }

    #[test]
    fn what_only_tests_see_is_marked_and_ends_with_its_item() {
        let text = "#[cfg(test)]\nuse a::B;\nuse c::D;\n#[test]\nfn t() { e::f(); }\nfn u() { g::h(); }\n#[cfg(test)]\nmod tests {\n    use super::*;\n}\n#[cfg(not(test))]\nuse i::J;\n";
        assert_eq!(
            lines(text),
            [
                "2 use a::B (test)",
                "3 use c::D",
                "5 e::f (test)",
                "6 g::h",
                "9 use super::* (test)",
                "12 use i::J"
            ]
        );
    }

    #[test]
    fn precise_capturing_is_no_use_declaration() {
        assert_eq!(lines("fn f() -> impl Sized + use<'_> { a::b() }"), ["1 a::b"]);
    }
}
