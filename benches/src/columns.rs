//! [`COLUMNS`]: every contestant, in the order of the table.

use crate::contestant::Column;
use crate::contestants::{
    Backon, Bare, ByHand, ExecutionPolicy, Failsafe, Recloser, Recourse, RecourseByStaticKey,
    RecourseByStringKey, SameDuties, Seatbelt, TokioRetry2, Tower, TowerResilience,
};

/// Every column of the table.
pub const COLUMNS: [Column; 14] = [
    Column::of::<Bare>(),
    Column::of::<Recourse>(),
    Column::of::<RecourseByStaticKey>(),
    Column::of::<RecourseByStringKey>(),
    Column::of::<Backon>(),
    Column::of::<TokioRetry2>(),
    Column::of::<Tower>(),
    Column::of::<Seatbelt>(),
    Column::of::<Failsafe>(),
    Column::of::<Recloser>(),
    Column::of::<ExecutionPolicy>(),
    Column::of::<TowerResilience>(),
    Column::of::<ByHand>(),
    Column::of::<SameDuties>(),
];

/// The column of this name.
pub fn column(name: &str) -> Option<Column> {
    COLUMNS.into_iter().find(|column| column.name == name)
}
