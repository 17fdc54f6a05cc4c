//! The values of an enum as rows: the name that telemetry writes, and the doc comment of the variant.

use crate::reference::markdown::{code, plain};
use crate::repo::Repo;
use crate::rust_code::item::{Entry, entries_of};
use anyhow::{Context, Result, bail};
use std::fmt::Debug;
use std::fs;

/// Where core's source is.
const CORE: &str = "crates/recourse-core/src";

/// The fields or variants of a type in a file of core.
pub(super) fn entries(repo: &Repo, file: &str, type_name: &str) -> Result<Vec<Entry>> {
    let text = source(repo, file)?;
    entries_of(&text, type_name).with_context(|| format!("{CORE}/{file}"))
}

/// A file of core.
pub(super) fn source(repo: &Repo, file: &str) -> Result<String> {
    let path = repo.root.join(CORE).join(file);
    fs::read_to_string(&path).with_context(|| format!("{} can't be read", path.display()))
}

/// A row for each value, in the given order.
///
/// # Errors
///
/// When the enum has a variant that is not among the values.
pub(super) fn rows<T: Copy + Debug>(
    variants: &[Entry],
    values: &[T],
    name: fn(T) -> &'static str,
) -> Result<Vec<[String; 2]>> {
    let variant_of = |value: T| {
        let shown = format!("{value:?}");
        shown.split(['(', ' ']).next().unwrap_or_default().to_owned()
    };
    let listed: Vec<String> = values.iter().map(|value| variant_of(*value)).collect();
    if let Some(missing) = variants.iter().find(|variant| !listed.contains(&variant.name)) {
        bail!("the variant {} is not listed in xtask/src/reference", missing.name);
    }
    Ok(values
        .iter()
        .zip(&listed)
        .map(|(value, variant)| {
            let doc = variants.iter().find(|known| known.name == *variant);
            [code(name(*value)), doc.map(|known| plain(&known.doc)).unwrap_or_default()]
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug)]
    enum Light {
        Red,
        Green(u8),
    }

    fn name(light: Light) -> &'static str {
        match light {
            Light::Red => "red",
            Light::Green(0) => "dark",
            Light::Green(_) => "green",
        }
    }

    #[test]
    fn each_value_has_its_variants_doc_and_a_missing_variant_is_an_error() {
        let text = "enum Light { /// Stop.\n Red, /// Go.\n Green(u8) }";
        let variants = entries_of(text, "Light").unwrap();
        let rows_of = |values: &[Light]| rows(&variants, values, name);
        assert_eq!(
            rows_of(&[Light::Green(1), Light::Red]).unwrap(),
            [["`green`", "Go."], ["`red`", "Stop."]]
        );
        let error = rows_of(&[Light::Red]).unwrap_err().to_string();
        assert!(error.contains("Green"), "{error}");
    }
}
