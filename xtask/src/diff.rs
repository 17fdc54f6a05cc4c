//! A committed text against the one that the code gives now.

use anyhow::{Context, Result};
use similar::TextDiff;
use std::fs;
use std::path::Path;

/// The difference as unified diff, committed to current; `None` where there is none.
pub(crate) fn unified(name: &str, committed: &str, current: &str) -> Option<String> {
    (committed != current).then(|| {
        TextDiff::from_lines(committed, current)
            .unified_diff()
            .context_radius(2)
            .header(&format!("{name} (committed)"), &format!("{name} (from the code)"))
            .to_string()
    })
}

/// Compares the file with `text` and, unless `check`, writes it. Returns whether they were the same; prints where not.
pub(crate) fn bring_up_to_date(root: &Path, name: &str, text: &str, check: bool) -> Result<bool> {
    let path = root.join(name);
    let committed = match fs::read_to_string(&path) {
        Ok(committed) => committed.replace("\r\n", "\n"),
        Err(_) => String::new(),
    };
    let Some(difference) = unified(name, &committed, text) else {
        return Ok(true);
    };
    if check {
        println!("{difference}");
    } else {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
        }
        fs::write(&path, text).with_context(|| format!("{name} can't be written"))?;
        println!("wrote {name}");
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_shows_both_sides_and_equal_texts_have_none() {
        let shown = unified("page.md", "a\nold\n", "a\nnew\n").unwrap_or_default();
        assert!(shown.contains("-old\n+new\n"), "{shown}");
        assert!(shown.contains("page.md (committed)"), "{shown}");
        assert_eq!(unified("page.md", "a\n", "a\n"), None);
    }
}
