//! Links in Markdown: each that is no web address leads to a file of the project.

use crate::repo::File;
use std::collections::HashSet;

pub(super) fn find(files: &[File]) -> Vec<String> {
    let mut known = HashSet::new();
    for file in files {
        known.insert(file.path.clone());
        let mut folder = file.path.as_str();
        while let Some((parent, _)) = folder.rsplit_once('/') {
            known.insert(parent.to_owned());
            folder = parent;
        }
    }
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.is("md")) {
        for (line, target) in targets(&file.text) {
            let path = target.split('#').next().unwrap_or_default();
            if path.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let reached = join(&file.path, path);
            if !reached.is_some_and(|reached| known.contains(&reached)) {
                found.push(format!("{}:{line}: {target:?} leads nowhere", file.path));
            }
        }
    }
    found
}

/// What follows `](` or stands in `[name]: target`, outside of code; with its line.
fn targets(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fence = None;
    for (at, line) in text.lines().enumerate() {
        let start = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| start.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (Some(_), _) => {}
            (None, None) => {
                let line = without_code(line);
                for (place, _) in line.match_indices("](") {
                    let rest = &line[place + 2..];
                    if let Some(end) = rest.find([')', ' ']) {
                        found.push((at + 1, rest[..end].to_owned()));
                    }
                }
                if let Some((_, target)) = line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")) {
                    found.push((at + 1, target.trim().to_owned()));
                }
            }
        }
    }
    found
}

/// The line without what stands between backticks.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("``")
}

/// `target` as seen from the folder of `page`; none if it leaves the project.
fn join(page: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in target.trim_end_matches('/').split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_followed_from_its_own_page() {
        let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
        let page = "[a](../README.md#top) [`b`](keys.md) [c](https://example.org/x) [d](#here) [e](../adr/)\n\
            [f](gone.md) `[g](in_code.md)`\n```rust\n[h](in_fence.md)\n```\n[i]: missing.md\n";
        let files = [
            file("README.md", ""),
            file("docs/adr/0001.md", ""),
            file("docs/keys.md", ""),
            file("docs/page.md", &page.replace("../adr/", "adr/")),
        ];
        assert_eq!(
            find(&files),
            ["docs/page.md:2: \"gone.md\" leads nowhere", "docs/page.md:6: \"missing.md\" leads nowhere"]
        );
    }

    #[test]
    fn a_link_out_of_the_project_leads_nowhere() {
        assert_eq!(join("docs/a.md", "../../b.md"), None);
        assert_eq!(join("docs/a.md", "./b/../c.md").as_deref(), Some("docs/c.md"));
    }
}
