//! A table of Markdown.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_in_a_cell_does_not_end_it() {
        let rows = [["x|y".to_owned(), "z".to_owned()]];
        assert_eq!(table(["a", "b"], rows), "| a | b |\n|---|---|\n| x\\|y | z |\n");
    }
}
