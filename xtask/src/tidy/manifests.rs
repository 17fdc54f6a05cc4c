//! Manifests: lints inherited, arrows downwards, versions in full.

use crate::floors::{FLOORS, TEST_KIT, floor};
use crate::repo::Repo;
use anyhow::{Context, Result};
use cargo_metadata::{Dependency, DependencyKind, Package};
use std::fs;
use std::path::Path;
use toml::Value;

pub(super) fn find(repo: &Repo) -> Result<Vec<String>> {
    let mut found = Vec::from_iter(workspace_lints(repo)?);
    for package in repo.packages() {
        found.extend(inherited_lints(repo, package)?);
        found.extend(versions(&package.name, &package.dependencies));
    }
    for package in repo.packages_beside()? {
        found.extend(versions(&package.name, &package.dependencies));
    }
    for package in repo.libraries() {
        let name = package.name.as_str();
        if floor(name).is_none() {
            found.push(format!("{name} stands on no floor; give it one in xtask/src/floors.rs"));
        }
        for dependency in &package.dependencies {
            if dependency.kind != DependencyKind::Development {
                found.extend(arrow(name, &dependency.name));
                found.extend(locked(name, dependency));
            }
        }
    }
    Ok(found)
}

/// The workspace forbids unsafe code.
fn workspace_lints(repo: &Repo) -> Result<Option<String>> {
    let manifest = table(&repo.root.join("Cargo.toml"))?;
    let lint = at(&manifest, &["workspace", "lints", "rust", "unsafe_code"]);
    Ok((lint.and_then(Value::as_str) != Some("forbid"))
        .then(|| "Cargo.toml: [workspace.lints.rust] must say unsafe_code = \"forbid\"".to_owned()))
}

/// The crate inherits the workspace's lints.
fn inherited_lints(repo: &Repo, package: &Package) -> Result<Option<String>> {
    let path = package.manifest_path.as_std_path();
    let manifest = table(path)?;
    let inherits = at(&manifest, &["lints", "workspace"]).and_then(Value::as_bool);
    Ok((inherits != Some(true))
        .then(|| format!("{}: [lints] must say workspace = true", repo.relative(path))))
}

fn table(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))?;
    toml::from_str(&text).with_context(|| format!("{} is no TOML", path.display()))
}

fn at<'a>(manifest: &'a Value, keys: &[&str]) -> Option<&'a Value> {
    keys.iter().try_fold(manifest, |value, key| value.get(key))
}

/// A dependency from outside names all three numbers of a version.
fn versions(package: &str, dependencies: &[Dependency]) -> Vec<String> {
    let from_outside = dependencies.iter().filter(|dependency| dependency.path.is_none());
    from_outside
        .filter(|dependency| {
            dependency.req.comparators.len() != 1 || dependency.req.comparators[0].patch.is_none()
        })
        .map(|dependency| {
            format!(
                "{package}: {} = \"{}\" must name one version with three numbers",
                dependency.name, dependency.req
            )
        })
        .collect()
}

/// Cargo writes each dependency that isn't optional into its users' lock files, whether or not its cfg is ever set.
fn locked(package: &str, dependency: &Dependency) -> Option<String> {
    (dependency.name == "loom" && !dependency.optional)
        .then(|| format!("{package}: loom must be optional, or it stands in the lock file of every user"))
}

/// A crate depends on lower floors alone, and never on the test kit outside of its tests.
fn arrow(from: &str, to: &str) -> Option<String> {
    if !FLOORS.iter().any(|(name, _)| *name == to) {
        return None;
    }
    if to == TEST_KIT {
        return Some(format!("{from} -> {to}: the test kit is for [dev-dependencies]"));
    }
    (floor(to) >= floor(from)).then(|| format!("{from} -> {to}: this arrow doesn't point down"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_point_down_and_the_test_kit_is_for_tests() {
        assert_eq!(arrow("recourse", "recourse-core"), None);
        assert_eq!(arrow("recourse-budget", "recourse-core"), None);
        assert_eq!(arrow("recourse-budget", "serde"), None);
        assert!(arrow("recourse-budget", "recourse-hedge").is_some());
        assert!(arrow("recourse-core", "recourse").is_some());
        assert!(arrow("recourse", "recourse-test").is_some());
    }
}
