//! Where services differ: S3 against all others, and the scope that a service expects.

/// How a service canonicalises and what it accepts unsigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// How the path enters the canonical request.
    pub path: PathRule,
    /// When `x-amz-content-sha256: UNSIGNED-PAYLOAD` is honoured.
    pub unsigned_payload: UnsignedPayload,
    /// How long a presigned request is good.
    pub presigned_window: PresignedWindow,
    /// How far a header-signed request's time may be from ours, in minutes, either way.
    pub skew_minutes: i64,
    /// S3's rules for the body: `STREAMING-*` is recognised, the declared hash is what is signed,
    /// and a presigned request without one has an unsigned payload.
    pub s3_payload: bool,
}

/// How the path enters the canonical request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathRule {
    /// Remove dot segments and empty segments first.
    pub normalise: bool,
    /// Percent-encode the path as sent once more, so that `%` becomes `%25`.
    pub encode_again: bool,
}

/// When an unsigned payload is honoured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnsignedPayload {
    /// Only where the signature is in the query string.
    Presigned,
    /// Always.
    Always,
}

/// How long a presigned request is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PresignedWindow {
    /// For `X-Amz-Expires` seconds, 1 to 604,800.
    Requested,
    /// For 15 minutes whatever `X-Amz-Expires` says: what STS and the other services do, so that
    /// for example the tokens of Amazon EKS (`X-Amz-Expires=60`) are good for 15 minutes.
    FifteenMinutes,
}

impl Rules {
    /// All services but S3.
    pub const STANDARD: Self = Self {
        path: PathRule { normalise: true, encode_again: true },
        unsigned_payload: UnsignedPayload::Presigned,
        presigned_window: PresignedWindow::FifteenMinutes,
        skew_minutes: 5,
        s3_payload: false,
    };

    /// S3.
    pub const S3: Self = Self {
        path: PathRule { normalise: false, encode_again: false },
        unsigned_payload: UnsignedPayload::Always,
        presigned_window: PresignedWindow::Requested,
        skew_minutes: 15,
        s3_payload: true,
    };
}

/// The scope that a request to a service must be signed for.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The signing name of the service, for example `kms`.
    pub service: &'a str,
    /// Whether the service can be reached in this Region.
    pub region_is_valid: fn(&str) -> bool,
}
