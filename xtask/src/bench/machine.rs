//! Where a run was made: processor, system, compiler, versions, date.

use crate::bench::figures::{BASELINE, Machine, PAGE};
use crate::repo::Repo;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};
use toml::Value;

const LOCK: &str = "benches/Cargo.lock";
const PACKAGE: &str = "recourse-benches";

/// This machine, now.
pub(super) fn read(repo: &Repo) -> Result<Machine> {
    let (compiler, host) = compiler()?;
    let days = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() / 86_400;
    Ok(Machine {
        date: date(days),
        revision: revision(&repo.root),
        processor: processor(&fs::read_to_string("/proc/cpuinfo").unwrap_or_default()),
        cores: thread::available_parallelism().map_or(1, usize::from),
        system: system(),
        compiler,
        host,
        seconds: 0.0,
        versions: versions(&fs::read_to_string(repo.root.join(LOCK)).context(LOCK)?)?,
    })
}

/// The compiler as it names itself, and its host.
pub(super) fn compiler() -> Result<(String, String)> {
    let output = Command::new("rustc").arg("-vV").output().context("rustc can't start")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    let name = text.lines().next().context("rustc doesn't say its version")?;
    Ok((name.to_owned(), host.context("rustc doesn't say its host")?.to_owned()))
}

fn processor(cpuinfo: &str) -> String {
    let model = cpuinfo.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split_once(':')).map(|(_, model)| model.trim());
    model.map_or_else(|| std::env::consts::ARCH.to_owned(), str::to_owned)
}

fn system() -> String {
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{} {}", std::env::consts::OS, kernel.trim()).trim_end().to_owned()
}

/// The commit, and whether something else than the page and its figures is changed.
fn revision(root: &Path) -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).current_dir(root).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(revision) = git(&["rev-parse", "--short", "HEAD"]) else {
        return "unknown".to_owned();
    };
    let written = [PAGE, BASELINE];
    let changed = git(&["status", "--porcelain"]).unwrap_or_default();
    let is_changed = changed.lines().any(|line| !written.iter().any(|path| line.ends_with(path)));
    if is_changed { format!("{revision}, with changes") } else { revision }
}

/// What the benches name in their manifest, with the versions of the lock file.
fn versions(lock: &str) -> Result<BTreeMap<String, String>> {
    let lock: Value = toml::from_str(lock).context("the lock file is no TOML")?;
    let packages = lock.get("package").and_then(Value::as_array).context("the lock file has no packages")?;
    let text = |package: &Value, field: &str| package.get(field).and_then(Value::as_str).map(str::to_owned);
    let own = packages.iter().find(|package| text(package, "name").as_deref() == Some(PACKAGE));
    let named = own.and_then(|own| own.get("dependencies")).and_then(Value::as_array);
    let named = named.with_context(|| format!("the lock file has no {PACKAGE}"))?;
    let mut versions = BTreeMap::new();
    for dependency in named.iter().filter_map(Value::as_str) {
        // The version stands behind the name where there are several.
        let (name, version) = match dependency.split_once(' ') {
            Some((name, version)) => (name, Some(version.to_owned())),
            None => (dependency, None),
        };
        let package = packages.iter().find(|package| text(package, "name").as_deref() == Some(name));
        // Ours have no source.
        if package.is_some_and(|package| text(package, "source").is_some())
            && let Some(version) = version.or_else(|| package.and_then(|package| text(package, "version")))
        {
            versions.insert(name.to_owned(), version);
        }
    }
    Ok(versions)
}

/// The date of a day since 1970, as Howard Hinnant's `civil_from_days` finds it.
fn date(days: u64) -> String {
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Months from March on, so that the leap day is the last of a year.
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        assert_eq!(
            [0, 11_016, 19_782, 20_781].map(date),
            ["1970-01-01", "2000-02-29", "2024-02-29", "2026-11-24"]
        );
    }

    #[test]
    fn the_lock_file_says_which_version_is_meant() {
        let lock = "[[package]]\nname = \"recourse-benches\"\nversion = \"0.0.0\"\n\
            dependencies = [\"recourse\", \"tower 0.5.3\", \"backon\"]\n\
            [[package]]\nname = \"recourse\"\nversion = \"0.1.0\"\n\
            [[package]]\nname = \"tower\"\nversion = \"0.4.13\"\nsource = \"registry\"\n\
            [[package]]\nname = \"tower\"\nversion = \"0.5.3\"\nsource = \"registry\"\n\
            [[package]]\nname = \"backon\"\nversion = \"1.6.0\"\nsource = \"registry\"\n";
        let found = versions(lock).unwrap();
        let found: Vec<(&str, &str)> = found.iter().map(|(name, version)| (&**name, &**version)).collect();
        assert_eq!(found, [("backon", "1.6.0"), ("tower", "0.5.3")]);
        assert!(versions("[[package]]\nname = \"other\"\nversion = \"1.0.0\"\n").is_err());
    }

    #[test]
    fn a_processor_without_a_name_is_its_architecture() {
        assert_eq!(processor("vendor_id\t: x\nmodel name\t: A Processor\nmodel name\t: B\n"), "A Processor");
        assert_eq!(processor(""), std::env::consts::ARCH);
    }
}
