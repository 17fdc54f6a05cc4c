//! The [`Glance`] of plans whose calls have no breaker to look at.
//!
//! There is one of each in the process. A model is run many times over, and what was made in another run of it is none of
//! this one's: there each plan has its own.

use recourse_core::Glance;
use std::sync::{Arc, LazyLock};

/// Nobody has to be asked, nor told of a success.
pub(super) fn free() -> Arc<Glance> {
    static FREE: LazyLock<Arc<Glance>> = LazyLock::new(healthy);
    if cfg!(recourse_loom) { healthy() } else { FREE.clone() }
}

/// There is more to do than a glance can show.
pub(super) fn nothing() -> Arc<Glance> {
    static NOTHING: LazyLock<Arc<Glance>> = LazyLock::new(Arc::default);
    if cfg!(recourse_loom) { Arc::default() } else { NOTHING.clone() }
}

fn healthy() -> Arc<Glance> {
    let glance = Glance::new();
    glance.show_healthy(0);
    Arc::new(glance)
}
