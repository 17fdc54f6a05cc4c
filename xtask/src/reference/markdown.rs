//! Markdown: a page's head, tables, code.

/// How every page begins.
pub(super) fn head(title: &str, about: &str) -> String {
    format!(
        "# {title}\n\n<!-- Written by `cargo xtask reference` from the code; change it there. -->\n\n{about}\n"
    )
}

/// A section's heading and the line below it.
pub(super) fn section(title: &str, about: &str) -> String {
    format!("\n## {title}\n\n{about}\n\n")
}

/// A table; a bar inside a cell is escaped.
pub(super) fn table<const N: usize>(heads: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut text = row(&heads.map(str::to_owned));
    text += &format!("|{}\n", "---|".repeat(N));
    for cells in rows {
        text += &row(&cells);
    }
    text
}

fn row(cells: &[String]) -> String {
    let mut text = String::from("|");
    for cell in cells {
        text += &format!(" {} |", cell.replace('|', "\\|"));
    }
    text + "\n"
}

/// A text as code; nothing for an empty one.
pub(super) fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{text}`") }
}

/// A block of code.
pub(super) fn block(language: &str, text: &str) -> String {
    format!("```{language}\n{}\n```\n", text.trim_end())
}

/// A doc comment's text for a page: links into the code become their words.
pub(super) fn plain(doc: &str) -> String {
    let mut text = String::new();
    let mut rest = doc;
    while let Some((before, link)) = rest.split_once('[') {
        text += before;
        let Some((words, after)) = link.split_once(']') else {
            text.push('[');
            rest = link;
            break;
        };
        let target = after.strip_prefix('(').and_then(|after| after.split_once(')'));
        match target {
            Some((address, behind)) if address.contains("://") => {
                text += &format!("[{words}]({address})");
                rest = behind;
            }
            Some((_, behind)) => {
                text += words;
                rest = behind;
            }
            // A link that is only a name in backticks.
            None if words.starts_with('`') => {
                text += words;
                rest = after;
            }
            None => {
                text += &format!("[{words}]");
                rest = after;
            }
        }
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_into_the_code_become_words_and_others_stay() {
        assert_eq!(
            plain("See [`limits::TABLE`], [`Abort`](OutcomeKind::Abort) and [a page](https://example.org)."),
            "See `limits::TABLE`, `Abort` and [a page](https://example.org)."
        );
        assert_eq!(plain("Uniform in `[0, b]`."), "Uniform in `[0, b]`.");
    }

    #[test]
    fn a_bar_in_a_cell_does_not_end_it() {
        assert_eq!(
            table(["a", "b"], [["x|y".to_owned(), "z".to_owned()]]),
            "| a | b |\n|---|---|\n| x\\|y | z |\n"
        );
    }
}
