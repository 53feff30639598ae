//! Links to archives, as `GetFunction` tells them: whoever has one may fetch the code for ten
//! minutes.
//!
//! ```text
//! /lambda-code/<account>/<region>/<function>/<version>/<until>/<mac>
//! ```
//! The key of the code is the id that the archive has here, which is random and told to nobody: so
//! that every node can check a link, and a link ends with its archive.
//!
//! Source: API Reference, FunctionCodeLocation.

use async_trait::async_trait;
use aws_lc_rs::hmac;
use haechi_core::{Cx, Document, Documents};
use haechi_wire::Fault;

use crate::Lambda;
use crate::reference::Reference;
use crate::store::{Code, PieceRecord, Version, piece};

/// How the path of a link begins.
pub(crate) const LINKS: &str = "/lambda-code/";

/// How long a link is good for.
const SECONDS: i64 = 600;

/// What a link says, but for its code.
fn said(reference: &Reference, version: &str, until_ms: i64) -> String {
    let Reference { account, region, name, .. } = reference;
    format!("{LINKS}{account}/{region}/{name}/{version}/{until_ms}")
}

fn key(code: &Code) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, code.id.as_bytes())
}

fn bytes_of(hexadecimal: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = hexadecimal.chars().map(|digit| digit.to_digit(16)).collect();
    let pairs = digits?;
    let byte = |pair: &[u32]| match pair {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    };
    pairs.chunks(2).map(byte).collect()
}

/// A link to the archive of a version.
pub(crate) fn link(cx: &Cx, reference: &Reference, version: &Version) -> Option<String> {
    let host = cx.request.host.as_deref()?;
    let scheme = if cx.request.secure_transport { "https" } else { "http" };
    let until_ms = cx.now().plus_seconds(SECONDS).millis();
    let path = said(reference, &version.version, until_ms);
    let code = hmac::sign(&key(&version.code), path.as_bytes());
    let code: String = code.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Some(format!("{scheme}://{host}{path}/{code}"))
}

impl Lambda {
    /// The bytes of an archive.
    pub(crate) async fn archive(&self, code: &Code) -> Result<Vec<u8>, Fault> {
        let mut bytes = Vec::new();
        for number in 0..code.pieces {
            let found = self.database.load::<PieceRecord>(&piece(&code.id, number)).await?;
            let missing = || Fault::internal(format!("piece {number} of code {} is gone", code.id));
            match found.ok_or_else(missing)?.value.bytes {
                ciborium::Value::Bytes(piece) => bytes.extend(piece),
                _ => return Err(Fault::internal("a piece of code that is no bytes")),
            }
        }
        Ok(bytes)
    }
}

#[async_trait]
impl Documents for Lambda {
    async fn document(&self, path: &str) -> Result<Option<Document>, Fault> {
        let parts: Vec<&str> = path.strip_prefix(LINKS).unwrap_or_default().split('/').collect();
        let [account, region, name, version, until, code] = parts.as_slice() else {
            return Ok(None);
        };
        let reference = Reference {
            partition: String::new(),
            account: (*account).to_owned(),
            region: (*region).to_owned(),
            name: (*name).to_owned(),
            qualifier: None,
        };
        let (Ok(until_ms), Some(code)) = (until.parse::<i64>(), bytes_of(code)) else {
            return Ok(None);
        };
        let Some(function) = self.load(&reference).await? else { return Ok(None) };
        let Some(found) = self.version_numbered(&function, version).await? else {
            return Ok(None);
        };
        let path = said(&reference, version, until_ms);
        let is_signed = hmac::verify(&key(&found.code), path.as_bytes(), &code).is_ok();
        if !is_signed || self.env.now().millis() >= until_ms {
            return Ok(None);
        }
        let body = self.archive(&found.code).await?;
        Ok(Some(Document { content_type: "application/zip", body }))
    }
}

#[cfg(test)]
mod tests {
    use super::bytes_of;

    #[test]
    fn hexadecimal_digits_are_read_in_pairs() {
        assert_eq!(bytes_of("00ff10"), Some(vec![0, 255, 16]));
        assert_eq!(bytes_of("0"), None);
        assert_eq!(bytes_of("zz"), None);
    }
}
