//! [`FLOORS`]: which crate stands on which floor. No arrow points up or sideways.

/// Every library crate and its floor, the ground first.
pub(crate) const FLOORS: &[(&str, u32)] = &[
    ("recourse-core", 1),
    ("recourse-budget", 2),
    ("recourse-circuit", 2),
    ("recourse-control", 2),
    ("recourse-hedge", 2),
    ("recourse-observe", 2),
    ("recourse-test", 2),
    ("recourse", 3),
    ("recourse-http", 4),
    ("recourse-tonic", 4),
    ("recourse-tower", 4),
];

/// The crate that others may use in their tests alone.
pub(crate) const TEST_KIT: &str = "recourse-test";

/// A crate's floor.
pub(crate) fn floor(name: &str) -> Option<u32> {
    FLOORS.iter().find(|(known, _)| *known == name).map(|(_, floor)| *floor)
}
