//! The [`Glance`] of plans whose calls have no breaker to look at.

use recourse_core::Glance;
use std::sync::{Arc, LazyLock};

/// Nobody has to be asked, nor told of a success.
pub(super) fn free() -> Arc<Glance> {
    static FREE: LazyLock<Arc<Glance>> = LazyLock::new(|| {
        let glance = Glance::new();
        glance.show_healthy(0);
        Arc::new(glance)
    });
    FREE.clone()
}

/// There is more to do than a glance can show.
pub(super) fn nothing() -> Arc<Glance> {
    static NOTHING: LazyLock<Arc<Glance>> = LazyLock::new(Arc::default);
    NOTHING.clone()
}
