//! The words that users write: keys, policies in code and in files, names in registries.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod keys_are_read_in_one_way;
#[cfg(feature = "serde")]
mod policy_files_are_read_strictly;
mod policy_values_are_brought_inside_their_limits;
mod presets_hold_what_they_promise;
mod registries_hold_one_plugin_a_name;
#[cfg(feature = "serde")]
mod the_limits_table_covers_every_field;
