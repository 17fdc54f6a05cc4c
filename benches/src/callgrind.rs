//! [`own_costs`]: what each function takes, read from a file that callgrind has written.

use std::collections::BTreeMap;

/// A function, and the file of the program or library that it is in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Function {
    /// Its name as callgrind shows it: an address where it has none.
    pub name: String,
    /// Without the folders.
    pub object: String,
}

/// What callgrind has to be told so that its file is one that [`own_costs`] reads.
pub const READABLE: [&str; 2] = ["--compress-strings=no", "--compress-pos=no"];

/// Instructions of each function, without those of the functions that it calls.
pub fn own_costs(text: &str) -> BTreeMap<Function, u64> {
    let mut costs = BTreeMap::new();
    let mut object = "";
    let mut function = None;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(path) = line.strip_prefix("ob=") {
            object = path.rsplit('/').next().unwrap_or(path);
        } else if let Some(name) = line.strip_prefix("fn=") {
            function = Some(Function { name: name.to_owned(), object: object.to_owned() });
        } else if line.starts_with("calls=") {
            // The next line is what the called function takes.
            lines.next();
        } else if let (Some(function), Some(cost)) = (&function, cost(line)) {
            *costs.entry(function.clone()).or_default() += cost;
        }
    }
    costs
}

/// The cost of a line that has one: a position, and instructions.
fn cost(line: &str) -> Option<u64> {
    let (position, cost) = line.split_once(' ')?;
    position.parse::<u64>().ok()?;
    cost.trim().parse().ok()
}
