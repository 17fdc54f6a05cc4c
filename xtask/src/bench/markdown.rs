//! A table of Markdown, and what stands in its cells.

/// A table of Markdown.
pub(super) fn table<const N: usize>(heads: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let row = |cells: [String; N]| {
        let cells = cells.map(|cell| cell.replace('|', "\\|"));
        format!("| {} |\n", cells.join(" | "))
    };
    let mut text = row(heads.map(str::to_owned));
    text += &format!("|{}\n", "---|".repeat(N));
    text.extend(rows.into_iter().map(row));
    text
}

/// Whether a goal is met, with the miss in bold.
pub(super) fn verdict(is_met: bool) -> String {
    if is_met { "met" } else { "**missed**" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_in_a_cell_does_not_end_it() {
        let rows = [["x|y".to_owned(), "z".to_owned()]];
        assert_eq!(table(["a", "b"], rows), "| a | b |\n|---|---|\n| x\\|y | z |\n");
    }
}
