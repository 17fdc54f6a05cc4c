//! [`Selection`]: which cases a bench is asked for on its command line.

use crate::case::Case;

/// Parts of names of cases; none selects every case. `=plain` is the whole name.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    parts: Vec<String>,
    /// What the names of the columns begin with; `=recourse` is the whole name.
    columns: String,
    /// What follows `--rounds`.
    pub rounds: Option<u32>,
}

impl Selection {
    /// The selection of this program's command line. `cargo bench` adds `--bench`, which says nothing.
    ///
    /// # Panics
    ///
    /// If `--rounds` is followed by no number.
    pub fn of_command_line() -> Self {
        Self::of(std::env::args().skip(1))
    }

    /// The selection of these arguments: parts of names, `--columns PREFIX` and `--rounds NUMBER`.
    ///
    /// # Panics
    ///
    /// If `--rounds` is followed by no number.
    pub fn of(mut arguments: impl Iterator<Item = String>) -> Self {
        let mut selection = Selection::default();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--columns" => selection.columns = arguments.next().unwrap_or_default(),
                "--rounds" => {
                    let number = arguments.next().and_then(|number| number.parse().ok());
                    selection.rounds = Some(number.expect("--rounds takes a number"));
                }
                flag if flag.starts_with('-') => {}
                _ => selection.parts.push(argument),
            }
        }
        selection
    }

    /// Whether the case is asked for.
    pub fn has_case(&self, case: Case) -> bool {
        self.parts.is_empty()
            || self.parts.iter().any(|part| match part.strip_prefix('=') {
                Some(name) => case.name == name,
                None => case.name.contains(part.as_str()),
            })
    }

    /// Whether the column is asked for.
    pub fn has_column(&self, name: &str) -> bool {
        match self.columns.strip_prefix('=') {
            Some(whole) => name == whole,
            None => name.starts_with(&self.columns),
        }
    }
}
