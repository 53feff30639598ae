//! Markers and tokens of paged answers.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A place in a listing: the storage key of the last item shown. Opaque to callers; one that was
/// tampered with only starts elsewhere in the same listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub Vec<u8>);

impl Cursor {
    /// As it is handed out.
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.0)
    }

    /// As it comes back; `None` if it was never handed out.
    pub fn decode(text: &str) -> Option<Cursor> {
        URL_SAFE_NO_PAD.decode(text).ok().filter(|key| !key.is_empty()).map(Cursor)
    }
}
