//! How the body enters the signature: hashed, unsigned, or in signed chunks.

use aws_lc_rs::digest;
use http::HeaderName;

use crate::{
    encode::{parse_sha256_hex, push_hex},
    error::AuthError,
    presented::{Form, Presented},
    request::RequestView,
    rules::{Rules, UnsignedPayload},
};

/// The header (and query parameter, in another case) that declares the body's hash.
pub(crate) const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");

const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// What the verifier or signer knows of a request's body.
#[derive(Debug, Clone, Copy)]
pub enum Payload<'a> {
    /// The whole body.
    Bytes(&'a [u8]),
    /// Its SHA-256.
    Sha256([u8; 32]),
    /// Not read yet (S3 streams): the hash that the request declares is taken for it and handed
    /// back as [`PayloadClaim::Declared`], for the reader to check.
    Unread,
}

/// What a valid signature says about the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayloadClaim {
    /// The body is the one that was signed.
    Verified,
    /// The sender did not sign the body.
    Unsigned,
    /// The sender signed this SHA-256; the caller must compare it with the body that it reads.
    Declared([u8; 32]),
    /// The body comes in chunks in this format, for example `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`;
    /// the caller must verify them. S3 only.
    Streaming(String),
}

impl Payload<'_> {
    /// The SHA-256 of the body, if it is known.
    pub(crate) fn sha256(&self) -> Option<[u8; 32]> {
        match self {
            Self::Bytes(body) => Some(sha256(body)),
            Self::Sha256(hash) => Some(*hash),
            Self::Unread => None,
        }
    }
}

/// SHA-256 of `data`.
pub(crate) fn sha256(data: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    let digest = digest::digest(&digest::SHA256, data);
    for (byte, computed) in hash.iter_mut().zip(digest.as_ref()) {
        *byte = *computed;
    }
    hash
}

/// Writes the last line of the canonical request to `line` and says what it claims.
pub(crate) fn resolve(
    line: &mut Vec<u8>,
    presented: &Presented<'_>,
    request: &RequestView<'_>,
    payload: Payload<'_>,
    rules: &Rules,
) -> Result<PayloadClaim, AuthError> {
    line.clear();
    let presigned = presented.form() == Form::Query;
    let declared = presented.content_sha256().or_else(|| request.text(&CONTENT_SHA256));
    let unsigned_allowed = presigned || rules.unsigned_payload == UnsignedPayload::Always;
    match declared {
        Some(UNSIGNED) if unsigned_allowed => {
            line.extend_from_slice(UNSIGNED.as_bytes());
            Ok(PayloadClaim::Unsigned)
        }
        None if presigned && rules.s3_payload => {
            line.extend_from_slice(UNSIGNED.as_bytes());
            Ok(PayloadClaim::Unsigned)
        }
        Some(format) if rules.s3_payload && format.starts_with("STREAMING-") => {
            line.extend_from_slice(format.as_bytes());
            Ok(PayloadClaim::Streaming(format.to_owned()))
        }
        Some(text) if rules.s3_payload => {
            let declared = parse_sha256_hex(text).ok_or_else(|| {
                AuthError::InvalidContentSha256 { declared: Some(text.to_owned()) }
            })?;
            line.extend_from_slice(text.as_bytes());
            Ok(PayloadClaim::Declared(declared))
        }
        None if rules.s3_payload => Err(AuthError::InvalidContentSha256 { declared: None }),
        // Outside S3 the service hashes what it received; a false declaration, being a signed
        // header, does not help its sender.
        _ => {
            let declared = declared.and_then(parse_sha256_hex);
            let (hash, claim) = match (payload.sha256(), declared) {
                (Some(actual), _) => (actual, PayloadClaim::Verified),
                (None, Some(declared)) => (declared, PayloadClaim::Declared(declared)),
                (None, None) => return Err(AuthError::InvalidContentSha256 { declared: None }),
            };
            push_hex(line, &hash);
            Ok(claim)
        }
    }
}

/// After the signature matched: compares a declared hash with the body, if that is known.
pub(crate) fn settle(claim: PayloadClaim, payload: Payload<'_>) -> Result<PayloadClaim, AuthError> {
    // Only then is the body hashed once more.
    let PayloadClaim::Declared(declared) = claim else { return Ok(claim) };
    match payload.sha256() {
        Some(actual) if declared == actual => Ok(PayloadClaim::Verified),
        Some(actual) => Err(AuthError::ContentSha256Mismatch { declared, actual }),
        None => Ok(PayloadClaim::Declared(declared)),
    }
}
