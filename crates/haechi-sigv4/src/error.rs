//! Why a request is not authenticated, as data; `wire` says it in AWS's words.

mod wire;

use crate::timestamp::Timestamp;

pub use wire::Protocol;

/// Why a request is not authenticated.
///
/// `Display` is the message of the JSON services; [`AuthError::message`] knows the others.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthError {
    /// Neither an `Authorization` header nor a presigned query: an anonymous request.
    MissingAuthenticationToken,
    /// Both an `Authorization` header and a presigned query.
    TwoSignatures,
    /// The `Authorization` header is not a list of `key=value` pairs.
    MalformedAuthorization {
        /// Base64 of the header's SHA-256.
        fingerprint: String,
    },
    /// Parameters are missing from the `Authorization` header, or the date from the request.
    IncompleteHeader {
        /// Their names, in AWS's order.
        missing: Vec<&'static str>,
        /// Neither `X-Amz-Date` nor `Date` is there.
        date_missing: bool,
        /// Base64 of the header's SHA-256.
        fingerprint: String,
    },
    /// Parameters are missing from a presigned query.
    IncompleteQuery {
        /// Their names, in AWS's order.
        missing: Vec<&'static str>,
    },
    /// The request's date cannot be read.
    InvalidDate {
        /// What stands there.
        date: String,
    },
    /// The algorithm is not `AWS4-HMAC-SHA256`.
    UnsupportedAlgorithm {
        /// The one that is named.
        algorithm: String,
    },
    /// The credential does not have five parts.
    MalformedCredential {
        /// The credential as sent.
        credential: String,
    },
    /// `host` is not among the signed headers.
    HostNotSigned,
    /// `x-amz-*` headers are there but not signed.
    HeadersNotSigned {
        /// Their names.
        headers: Vec<String>,
    },
    /// The request is too old.
    Expired {
        /// When it was signed.
        signed_at: Timestamp,
        /// The oldest time that would be good.
        earliest: Timestamp,
        /// Our time.
        now: Timestamp,
        /// The window, in minutes.
        minutes: i64,
        /// The seconds of `X-Amz-Expires`, where they made the window.
        expires: Option<i64>,
    },
    /// The request's time is in the future.
    NotYetCurrent {
        /// When it was signed.
        signed_at: Timestamp,
        /// The latest time that would be good.
        latest: Timestamp,
        /// Our time.
        now: Timestamp,
        /// The skew allowed, in minutes.
        minutes: i64,
    },
    /// `X-Amz-Expires` is missing, no number, or not 1 to 604,800.
    InvalidExpires {
        /// What stands there.
        expires: String,
    },
    /// The credential scope is not this request's.
    WrongScope {
        /// What is wrong with it, each in AWS's words, in AWS's order.
        faults: Vec<String>,
    },
    /// There is no such access key (found out by the caller).
    UnknownAccessKey {
        /// The access key id as sent.
        access_key_id: String,
    },
    /// The session token is not good for this access key (found out by the caller).
    InvalidToken,
    /// The session token has expired (found out by the caller).
    ExpiredToken,
    /// The signature is not ours.
    SignatureMismatch(Box<SignatureMismatch>),
    /// `x-amz-content-sha256` is missing where it must be, or is no valid value.
    InvalidContentSha256 {
        /// What stands there.
        declared: Option<String>,
    },
    /// The body is not the one whose hash was signed.
    ContentSha256Mismatch {
        /// The hash that was signed.
        declared: [u8; 32],
        /// The body's.
        actual: [u8; 32],
    },
}

/// What we would have signed; AWS shows it to the sender, who has signed something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureMismatch {
    /// The canonical request that we calculated.
    pub canonical_request: String,
    /// The string to sign that we calculated.
    pub string_to_sign: String,
    /// The access key id of the request.
    pub access_key_id: String,
    /// The signature of the request.
    pub signature_provided: String,
}

impl std::fmt::Display for AuthError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message(Protocol::Json))
    }
}

impl std::error::Error for AuthError {}

#[cfg(test)]
mod tests;
