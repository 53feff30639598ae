//! What `--dev` adds for tests: time travel and a clean slate.

use std::future::Future;
use std::pin::Pin;

use haechi_wire::Fault;

/// Answers `POST /_haechi/…`; exists only under `--dev`.
pub trait DevControls: Send + Sync + 'static {
    /// Moves the clock and runs what fell due.
    fn advance(&self, seconds: i64) -> DevAnswer<'_>;
    /// Empties everything but the root account.
    fn reset(&self) -> DevAnswer<'_>;
}

/// A control at work; answers a JSON document.
pub type DevAnswer<'a> = Pin<Box<dyn Future<Output = Result<String, Fault>> + Send + 'a>>;
