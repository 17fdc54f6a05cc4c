//! What stands between `use` and `;`, as one path a leaf.

use proc_macro2::TokenTree;

/// One leaf of a use declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    /// The path; a glob's last segment is `*`.
    pub(super) segments: Vec<String>,
    /// The name that it brings in: the alias or the last segment.
    pub(super) name: String,
}

/// The leaves of a use tree.
pub(super) fn leaves(tokens: &[TokenTree]) -> Vec<Leaf> {
    let mut found = Vec::new();
    collect(tokens, &[], &mut found);
    found
}

fn collect(tokens: &[TokenTree], prefix: &[String], found: &mut Vec<Leaf>) {
    for branch in tokens.split(|token| is_punct(token, ',')) {
        let mut segments = prefix.to_vec();
        let mut alias = None;
        let mut rest = branch.iter();
        let mut ended = false;
        while let Some(token) = rest.next() {
            match token {
                TokenTree::Ident(word) if word == "as" => alias = rest.next().map(ToString::to_string),
                TokenTree::Ident(word) => segments.push(word.to_string()),
                TokenTree::Punct(sign) if sign.as_char() == '*' => segments.push("*".to_owned()),
                TokenTree::Group(group) => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    collect(&inner, &segments, found);
                    ended = true;
                }
                _ => {}
            }
        }
        // `use a::{self}` brings in `a`.
        if segments.len() > prefix.len() && segments.len() > 1 && segments.last().is_some_and(|s| s == "self")
        {
            segments.pop();
        }
        if !ended && segments.len() + usize::from(branch.len() == 1) > prefix.len() && !branch.is_empty() {
            let name = alias.or_else(|| segments.last().cloned()).unwrap_or_default();
            found.push(Leaf { segments, name });
        }
    }
}

fn is_punct(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(found) if found.as_char() == sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<(String, String)> {
        let stream: proc_macro2::TokenStream = text.parse().unwrap();
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        leaves(&tokens).into_iter().map(|leaf| (leaf.segments.join("::"), leaf.name)).collect()
    }

    #[test]
    fn each_leaf_of_a_nested_tree_is_a_path() {
        let pair = |path: &str, name: &str| (path.to_owned(), name.to_owned());
        assert_eq!(
            paths("crate::a::{self, b::{C, D as E}, f::*}"),
            [
                pair("crate::a", "a"),
                pair("crate::a::b::C", "C"),
                pair("crate::a::b::D", "E"),
                pair("crate::a::f::*", "*"),
            ]
        );
        assert_eq!(paths("::std::fmt"), [pair("std::fmt", "fmt")]);
        assert_eq!(paths("super::{X,}"), [pair("super::X", "X")]);
    }
}
