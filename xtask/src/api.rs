//! `api`: the public API of each library as text, in `docs/api`. A change of it is a change of that file, on purpose.
//!
//! rustdoc writes the API as JSON, `public-api` reads it. The format of that JSON is unstable, so one toolchain is
//! pinned here; with another one the texts would differ for reasons that aren't ours.

use crate::diff;
use crate::repo::Repo;
use crate::toolchain::Toolchain;
use crate::verdict::Verdict;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

/// The toolchain whose rustdoc writes `rustdoc_types::FORMAT_VERSION`. It changes together with the versions of
/// `public-api` and `rustdoc-types` in the root manifest.
const TOOLCHAIN: &str = "1.95.0";

/// Writes the texts, or compares them.
pub(crate) fn run(repo: &Repo, check: bool) -> Result<Verdict> {
    let toolchain = match Toolchain::find(TOOLCHAIN) {
        Ok(toolchain) => toolchain,
        Err(why) => return Ok(Verdict::NotMade(why)),
    };
    let built = toolchain
        .cargo(repo)
        .args(["doc", "--lib", "--no-deps", "--all-features"])
        .packages(&repo.published_names())
        .env("RUSTDOCFLAGS", "-Z unstable-options --output-format json")
        // rustdoc's JSON is unstable, and a stable toolchain must be told that we know.
        .env("RUSTC_BOOTSTRAP", "1")
        .own_target(repo, "api")
        .run()?;
    if built.is_failure() {
        return Ok(built);
    }
    let mut stale = Vec::new();
    for name in repo.published_names() {
        let json = repo.target_directory().join("api/doc").join(format!("{}.json", name.replace('-', "_")));
        if let Some(other) = other_format(&json)? {
            return Ok(Verdict::NotMade(format!(
                "rustdoc {TOOLCHAIN} writes format {other}, this reads {}",
                rustdoc_types::FORMAT_VERSION
            )));
        }
        let page = format!("docs/api/{name}.txt");
        if !diff::bring_up_to_date(&repo.root, &page, &text(&json)?, check)? {
            stale.push(page);
        }
    }
    Ok(if check && !stale.is_empty() {
        Verdict::Failed(format!(
            "the public API has changed; if that is meant, run: cargo xtask api ({})",
            stale.join(", ")
        ))
    } else {
        Verdict::Passed(String::new())
    })
}

/// The format of the JSON, if this program can't read it.
fn other_format(json: &Path) -> Result<Option<u64>> {
    let text = fs::read_to_string(json).with_context(|| format!("rustdoc wrote no {}", json.display()))?;
    let value: serde_json::Value = serde_json::from_str(&text)?;
    let format = value["format_version"].as_u64().unwrap_or_default();
    Ok((format != u64::from(rustdoc_types::FORMAT_VERSION)).then_some(format))
}

/// A line an item. What the standard library implements for every type is left out, and so are auto traits: those
/// have tests of their own.
fn text(json: &Path) -> Result<String> {
    let api = public_api::Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .build()
        .with_context(|| format!("{} can't be read", json.display()))?;
    Ok(api.items().map(|item| format!("{item}\n")).collect())
}
