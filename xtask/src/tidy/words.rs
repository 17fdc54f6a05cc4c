//! Words that must not stand in the project. They are written in halves, so that this file passes its own check.

use crate::repo::File;

/// Folders of one machine.
const PATHS: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ho", "me/"),
    concat!("/tm", "p/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!("/fa", "rm/"),
];

/// Hosts of package registries.
const HOSTS: &[&str] = &[
    concat!("crates", ".io"),
    concat!("registry.npm", "js.org"),
    concat!("pyp", "i.org"),
    concat!("arti", "factory"),
];

/// Who or what wrote it.
const MAKERS: &[&str] = &[
    concat!("cla", "ude"),
    concat!("anth", "ropic"),
    concat!("cop", "ilot"),
    concat!("chat", "gpt"),
    concat!("open", "ai"),
    concat!("gem", "ini"),
    concat!("ll", "m"),
    concat!("ai a", "gent"),
    concat!("ai-gen", "erated"),
    concat!("language ", "model"),
    concat!("this ses", "sion"),
    concat!("farm", "-studio"),
    concat!("farm", "-bench"),
    concat!(".lib", "rary"),
];

/// The one line of a lock file that names a registry.
const LOCKED_SOURCE: &str = concat!("source = \"registry+https://github.com/rust-lang/crates", ".io-index\"");

pub(super) fn find(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        let is_lock = file.path.ends_with("Cargo.lock");
        for (at, line) in file.text.lines().enumerate() {
            if is_lock && line == LOCKED_SOURCE {
                continue;
            }
            if let Some(word) = forbidden(line) {
                found.push(format!("{}:{}: {word:?} must not stand in the project", file.path, at + 1));
            }
        }
    }
    found
}

fn forbidden(line: &str) -> Option<&'static str> {
    let lower = line.to_ascii_lowercase();
    let path = |path: &&&str| line.match_indices(**path).any(|(at, _)| !ends_a_name(&line[..at]));
    let host = |host: &&&str| lower.contains(**host);
    let maker = |maker: &&&str| {
        lower.match_indices(**maker).any(|(at, _)| {
            !lower[..at].ends_with(|c: char| c.is_alphanumeric())
                && !lower[at + maker.len()..].starts_with(|c: char| c.is_alphanumeric())
        })
    };
    PATHS.iter().find(path).or_else(|| HOSTS.iter().find(host)).or_else(|| MAKERS.iter().find(maker)).copied()
}

/// Whether a path that follows is only the rest of a longer one, `docs/..` say.
fn ends_a_name(before: &str) -> bool {
    before.ends_with(|c: char| c.is_alphanumeric() || ['.', '_', '-', '>', '}'].contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_found_on_its_own_and_not_in_a_longer_one() {
        for word in PATHS.iter().chain(HOSTS).chain(MAKERS) {
            assert_eq!(forbidden(&format!("see {word}x {word}")), Some(*word));
        }
        for path in PATHS {
            assert_eq!(forbidden(&format!("https://example.org{path}page docs{path}page")), None);
        }
        for maker in MAKERS {
            assert_eq!(forbidden(&format!("s{maker}s")), None, "{maker}");
        }
    }

    #[test]
    fn a_lock_file_may_name_the_registry_of_its_packages() {
        let file = |path: &str| File { path: path.to_owned(), text: format!("{LOCKED_SOURCE}\n") };
        assert!(find(&[file("benches/Cargo.lock")]).is_empty());
        assert_eq!(find(&[file("README.md")]).len(), 1);
    }
}
