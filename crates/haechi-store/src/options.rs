//! What an engine is opened with.

use std::{fmt, sync::Arc};

use crate::{Clock, limits};

/// What every engine needs to know.
#[derive(Clone)]
pub struct Options {
    /// The time that leases end by.
    pub clock: Arc<dyn Clock>,
    /// How many past revisions stay readable and watchable.
    pub history: u64,
}

impl Options {
    /// The defaults, with this clock.
    pub fn new(clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), history: limits::HISTORY_DEFAULT }
    }

    /// Keeps `revisions` past revisions readable.
    #[must_use]
    pub fn with_history(mut self, revisions: u64) -> Self {
        self.history = revisions;
        self
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("history", &self.history).finish_non_exhaustive()
    }
}
