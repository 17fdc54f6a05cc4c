//! Rust source as data, by its tokens: comments and texts are not mistaken for code.
//!
//! [`mentions()`] is every path that a file names, with its line; [`item`] is the fields, variants and constants of a
//! file with their doc comments.

pub(crate) mod item;
mod mentions;
mod use_tree;

pub(crate) use self::mentions::{Mention, mentions};
