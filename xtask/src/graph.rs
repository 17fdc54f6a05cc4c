//! `graph`: who depends on whom, by floors, as a Mermaid diagram for the architecture page.

use crate::floors::{FLOORS, TEST_KIT, floor};
use crate::repo::Repo;
use crate::verdict::Verdict;
use anyhow::Result;
use cargo_metadata::DependencyKind;

/// Prints the diagram.
pub(crate) fn run(repo: &Repo) -> Result<Verdict> {
    let mut arrows = Vec::new();
    let mut crates = Vec::new();
    for package in repo.libraries() {
        crates.push(package.name.to_string());
        for dependency in &package.dependencies {
            if dependency.path.is_some() && dependency.kind != DependencyKind::Development {
                arrows.push((package.name.to_string(), dependency.name.clone()));
            }
        }
    }
    print!("{}", mermaid(&crates, &arrows));
    Ok(Verdict::Passed(String::new()))
}

/// The diagram: a box a floor, the highest first, and an arrow a dependency.
fn mermaid(crates: &[String], arrows: &[(String, String)]) -> String {
    let mut text = String::from("flowchart TD\n");
    let mut floors: Vec<u32> = crates.iter().filter_map(|name| floor(name)).collect();
    floors.sort_unstable();
    floors.dedup();
    for number in floors.into_iter().rev() {
        text += &format!("    subgraph floor{number} [floor {number}]\n");
        for (name, _) in FLOORS.iter().filter(|(_, at)| *at == number) {
            if crates.iter().any(|known| known == name) {
                let note = if *name == TEST_KIT { ", for tests" } else { "" };
                text += &format!("        {name}[\"{name}{note}\"]\n");
            }
        }
        text += "    end\n";
    }
    for (from, to) in arrows {
        text += &format!("    {from} --> {to}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floors_stand_above_one_another_and_arrows_point_down() {
        let crates = ["recourse-core".to_owned(), "recourse".to_owned()];
        let text = mermaid(&crates, &[("recourse".to_owned(), "recourse-core".to_owned())]);
        let place = |part: &str| text.find(part).unwrap_or(usize::MAX);
        assert!(place("floor3") < place("floor1"), "{text}");
        assert!(text.ends_with("    recourse --> recourse-core\n"), "{text}");
        assert!(!text.contains("recourse-budget"), "{text}");
    }
}
