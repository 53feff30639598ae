//! What `--dev` adds for tests: time travel and a clean slate.

use std::future::Future;
use std::pin::Pin;

use haechi_wire::json::JsonReader;
use haechi_wire::schema::{Schema, integer, member, structure_of};
use haechi_wire::{Fault, Malformed, Reader};
use http::Method;
use http::request::Parts;

/// The farthest that one request moves the clock: a hundred years.
const ADVANCE_SECONDS_MAX: i64 = 3_155_760_000;

/// Answers `POST /_haechi/…`; exists only under `--dev`.
pub trait DevControls: Send + Sync + 'static {
    /// Moves the clock and runs what fell due.
    fn advance(&self, seconds: i64) -> DevAnswer<'_>;
    /// Empties everything but the root account.
    fn reset(&self) -> DevAnswer<'_>;
}

/// A control at work; answers a JSON document.
pub type DevAnswer<'a> = Pin<Box<dyn Future<Output = Result<String, Fault>> + Send + 'a>>;

/// Answers a request under `/_haechi/`.
pub(crate) async fn control(
    controls: &dyn DevControls,
    parts: &Parts,
    body: &[u8],
) -> Result<String, Fault> {
    // Only browsers send it, on behalf of whatever page is open.
    if parts.headers.contains_key(http::header::ORIGIN) {
        return Err(Fault::AccessDenied("A web page may not control haechi.".to_owned()));
    }
    match (&parts.method, parts.uri.path()) {
        (&Method::POST, "/_haechi/clock") => controls.advance(seconds(body)?).await,
        (&Method::POST, "/_haechi/reset") => controls.reset().await,
        (_, path) => Err(Fault::UnknownOperation(path.to_owned())),
    }
}

/// `{"advance_seconds": 31622400}`.
fn seconds(body: &[u8]) -> Result<i64, Fault> {
    static SECONDS: Schema = integer("Seconds");
    static CLOCK: Schema = structure_of("Clock", &[member("advance_seconds", &SECONDS).required()]);
    let wrong = |error: &dyn std::fmt::Display| {
        Fault::Validation(format!("Send {{\"advance_seconds\": N}}: {error}"))
    };
    let mut reader = JsonReader::new(body);
    let mut read = || {
        let mut seconds = None;
        reader.begin_structure()?;
        while reader.next_member(CLOCK.members())?.is_some() {
            seconds = Some(reader.integer()?);
        }
        reader.finish()?;
        Ok::<_, Malformed>(seconds)
    };
    match read() {
        Ok(Some(seconds)) if (0..=ADVANCE_SECONDS_MAX).contains(&seconds) => Ok(seconds),
        Ok(_) => Err(wrong(&format!("N is a whole number from 0 to {ADVANCE_SECONDS_MAX}"))),
        Err(malformed) => Err(wrong(&malformed)),
    }
}
