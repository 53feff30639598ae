//! Reads a request's body, bounded in size and time, into memory that is wiped.

use std::time::Duration;

use haechi_wire::Fault;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use zeroize::Zeroizing;

/// Why there is no body.
#[derive(Debug)]
pub(crate) enum BodyError {
    /// To be answered.
    Fault(Fault),
    /// The client went away or was too slow.
    Gone,
}

/// The whole body.
pub(crate) async fn read(
    mut body: Incoming,
    bytes_max: usize,
    timeout: Duration,
) -> Result<Zeroizing<Vec<u8>>, BodyError> {
    let too_large = || BodyError::Fault(Fault::TooLarge { limit_bytes: bytes_max });
    let declared = body.size_hint().lower();
    if declared > bytes_max as u64 {
        return Err(too_large());
    }
    let collect = async move {
        let capacity = usize::try_from(declared).unwrap_or(0);
        let mut whole = Zeroizing::new(Vec::with_capacity(capacity));
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return Err(BodyError::Gone) };
            let Some(data) = frame.data_ref() else { continue };
            if whole.len() + data.len() > bytes_max {
                return Err(too_large());
            }
            if whole.len() + data.len() > whole.capacity() {
                // Growing in place would leave a copy behind: move by hand, wipe the old.
                let capacity = (whole.capacity() * 2).max(whole.len() + data.len());
                let mut larger = Zeroizing::new(Vec::with_capacity(capacity));
                larger.extend_from_slice(&whole);
                whole = larger;
            }
            whole.extend_from_slice(data);
        }
        Ok(whole)
    };
    tokio::time::timeout(timeout, collect).await.unwrap_or(Err(BodyError::Gone))
}
