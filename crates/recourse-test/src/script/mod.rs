//! Scripted operations: what an operation does, attempt by attempt, and what became of the attempts.
//!
//! | file | what lives there |
//! |---|---|
//! | `builder` | [`Script`], written step by step |
//! | `step` | one step |
//! | `operation` | [`ScriptedOperation`], which follows a script, and [`ScriptedCall`], one attempt of it |
//! | `error` | [`ScriptedError`] |

mod builder;
mod error;
mod operation;
mod step;

pub use self::builder::Script;
pub use self::error::ScriptedError;
pub use self::operation::{ScriptedCall, ScriptedOperation};
