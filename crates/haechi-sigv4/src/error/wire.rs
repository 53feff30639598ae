//! Codes, messages and HTTP statuses, as AWS's services answer them.
//!
//! Sources: AWS's "Common errors" pages, the IAM User Guide's "Troubleshoot signed requests",
//! recorded answers of S3, and answers quoted in public bug reports.

use super::AuthError;

/// The families of protocols that name the same failure differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// AWS JSON 1.0 and 1.1, and CBOR: `InvalidSignatureException`, always 400.
    Json,
    /// REST JSON: the same codes, 403.
    RestJson,
    /// Query (IAM, STS, SNS …) and REST XML but for S3: `SignatureDoesNotMatch`.
    Query,
    /// EC2's query dialect: `AuthFailure`.
    Ec2,
    /// S3, which has its own names for nearly everything.
    S3,
}

const MISMATCH: &str = "The request signature we calculated does not match the signature you \
    provided. Check your AWS Secret Access Key and signing method. Consult the service \
    documentation for details.";

impl AuthError {
    /// The error code that AWS answers.
    #[must_use]
    pub fn code(&self, protocol: Protocol) -> &'static str {
        let [json, query, s3] = self.codes();
        match protocol {
            Protocol::Json | Protocol::RestJson => json,
            Protocol::S3 => s3,
            Protocol::Ec2 if self.is_unknown_caller() => "AuthFailure",
            Protocol::Query | Protocol::Ec2 => query,
        }
    }

    fn is_unknown_caller(&self) -> bool {
        matches!(self, Self::UnknownAccessKey { .. } | Self::InvalidToken)
    }

    /// The code of this failure in JSON, query and S3.
    fn codes(&self) -> [&'static str; 3] {
        use AuthError as E;
        const INCOMPLETE: [&str; 2] = ["IncompleteSignatureException", "IncompleteSignature"];
        const INVALID: [&str; 2] = ["InvalidSignatureException", "SignatureDoesNotMatch"];
        let ([json, query], s3) = match self {
            E::MissingAuthenticationToken => (
                ["MissingAuthenticationTokenException", "MissingAuthenticationToken"],
                "AccessDenied",
            ),
            E::TwoSignatures => (INVALID, "InvalidArgument"),
            E::MalformedAuthorization { .. } => (INCOMPLETE, "InvalidArgument"),
            E::IncompleteHeader { date_missing: true, .. } => (INCOMPLETE, "AccessDenied"),
            E::IncompleteHeader { .. } => (INCOMPLETE, "AuthorizationHeaderMalformed"),
            E::IncompleteQuery { .. } => (INCOMPLETE, "AuthorizationQueryParametersError"),
            E::InvalidDate { .. } => (INCOMPLETE, "AccessDenied"),
            E::UnsupportedAlgorithm { .. } => (INCOMPLETE, "InvalidRequest"),
            E::MalformedCredential { .. } => (INCOMPLETE, "AuthorizationHeaderMalformed"),
            E::HostNotSigned | E::HeadersNotSigned { .. } => (INVALID, "AccessDenied"),
            E::Expired { expires: None, .. } | E::NotYetCurrent { .. } => {
                (INVALID, "RequestTimeTooSkewed")
            }
            E::Expired { .. } => (INVALID, "AccessDenied"),
            E::InvalidExpires { .. } => (INCOMPLETE, "AuthorizationQueryParametersError"),
            E::WrongScope { .. } => (INVALID, "AuthorizationHeaderMalformed"),
            E::UnknownAccessKey { .. } => {
                (["UnrecognizedClientException", "InvalidClientTokenId"], "InvalidAccessKeyId")
            }
            E::InvalidToken => {
                (["UnrecognizedClientException", "InvalidClientTokenId"], "InvalidToken")
            }
            E::ExpiredToken => (["ExpiredTokenException", "ExpiredToken"], "ExpiredToken"),
            E::SignatureMismatch(_) => (INVALID, "SignatureDoesNotMatch"),
            E::InvalidContentSha256 { declared: None } => (INVALID, "InvalidRequest"),
            E::InvalidContentSha256 { .. } => (INVALID, "InvalidArgument"),
            E::ContentSha256Mismatch { .. } => (INVALID, "XAmzContentSHA256Mismatch"),
        };
        [json, query, s3]
    }

    /// The HTTP status that AWS answers.
    #[must_use]
    pub fn status(&self, protocol: Protocol) -> u16 {
        match (protocol, self.code(protocol)) {
            (Protocol::Json, _) | (Protocol::Query | Protocol::Ec2, "IncompleteSignature") => 400,
            (Protocol::RestJson | Protocol::Query | Protocol::Ec2, _) => 403,
            (
                Protocol::S3,
                "AccessDenied"
                | "InvalidAccessKeyId"
                | "RequestTimeTooSkewed"
                | "SignatureDoesNotMatch",
            ) => 403,
            (Protocol::S3, _) => 400,
        }
    }

    /// The message that AWS answers.
    #[must_use]
    pub fn message(&self, protocol: Protocol) -> String {
        match (protocol, self.s3_message()) {
            (Protocol::S3, Some(message)) => message,
            _ => self.service_message(),
        }
    }

    fn service_message(&self) -> String {
        match self {
            Self::MissingAuthenticationToken => "Request is missing Authentication Token".into(),
            Self::TwoSignatures => "Found both 'X-Amz-Algorithm' as a query-string param and \
                'Authorization' as HTTP header."
                .into(),
            Self::MalformedAuthorization { fingerprint } => format!(
                "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with \
                 SHA-256 and encoded with Base64): '{fingerprint}'."
            ),
            Self::IncompleteHeader { missing, date_missing, fingerprint } => {
                incomplete_header(missing, *date_missing, fingerprint)
            }
            Self::IncompleteQuery { missing } => {
                let missing = missing
                    .iter()
                    .map(|name| format!("AWS query-string parameters must include '{name}'. "));
                missing.collect::<String>() + "Re-examine the query-string parameters."
            }
            Self::InvalidDate { date } => format!(
                "Date must be in ISO-8601 'basic format'. Got '{date}'. See \
                 http://en.wikipedia.org/wiki/ISO_8601"
            ),
            // The space at the end is AWS's.
            Self::UnsupportedAlgorithm { algorithm } => format!(
                "Unsupported AWS 'algorithm': '{algorithm}' (only AWS4-HMAC-SHA256 for now). "
            ),
            Self::MalformedCredential { credential } => format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. \
                 keyid/date/region/service/term, got '{credential}'"
            ),
            Self::HostNotSigned => {
                "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.".into()
            }
            Self::HeadersNotSigned { headers } => {
                let each = headers.iter().map(|name| {
                    format!("'{name}' must be a 'SignedHeader' in the AWS Authorization.")
                });
                each.collect::<Vec<_>>().join(" ")
            }
            _ => self.proof_message(),
        }
    }

    /// The failures that come after the form was found good.
    fn proof_message(&self) -> String {
        match self {
            Self::Expired { signed_at, earliest, now, minutes, .. } => format!(
                "Signature expired: {signed_at} is now earlier than {earliest} ({now} - {minutes} \
                 min.)"
            ),
            Self::NotYetCurrent { signed_at, latest, now, minutes } => format!(
                "Signature not yet current: {signed_at} is still later than {latest} ({now} + \
                 {minutes} min.)"
            ),
            Self::InvalidExpires { expires } => invalid_expires(expires).into(),
            Self::WrongScope { faults } => faults.join(" "),
            Self::UnknownAccessKey { .. } => {
                "The security token included in the request is invalid.".into()
            }
            // Without a full stop, unlike the message for an unknown key.
            Self::InvalidToken => "The security token included in the request is invalid".into(),
            Self::ExpiredToken => "The security token included in the request is expired".into(),
            Self::SignatureMismatch(mismatch) => format!(
                "{MISMATCH}\n\nThe Canonical String for this request should have been\n'{}'\n\n\
                 The String-to-Sign should have been\n'{}'\n",
                mismatch.canonical_request, mismatch.string_to_sign
            ),
            _ => MISMATCH.into(),
        }
    }

    /// The message of S3, where it has its own.
    fn s3_message(&self) -> Option<String> {
        let message = match self {
            Self::MissingAuthenticationToken => "Access Denied",
            Self::TwoSignatures => {
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, \
                 Signature query string parameter or the Authorization header should be specified"
            }
            Self::MalformedAuthorization { .. } => "Unsupported Authorization Type",
            Self::IncompleteHeader { date_missing: true, .. } | Self::InvalidDate { .. } => {
                "AWS authentication requires a valid Date or x-amz-date header"
            }
            Self::IncompleteHeader { .. } => {
                "The authorization header is malformed; the authorization header requires three \
                 components: Credential, SignedHeaders, and Signature."
            }
            Self::IncompleteQuery { .. } => {
                "Query-string authentication version 4 requires the X-Amz-Algorithm, \
                 X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and \
                 X-Amz-Expires parameters."
            }
            Self::HostNotSigned | Self::HeadersNotSigned { .. } => {
                "There were headers present in the request which were not signed"
            }
            Self::Expired { expires: Some(_), .. } => "Request has expired",
            Self::Expired { .. } | Self::NotYetCurrent { .. } => {
                "The difference between the request time and the current time is too large."
            }
            Self::UnknownAccessKey { .. } => {
                "The AWS Access Key Id you provided does not exist in our records."
            }
            Self::InvalidToken => "The provided token is malformed or otherwise invalid.",
            Self::ExpiredToken => "The provided token has expired.",
            Self::SignatureMismatch(_) => {
                "The request signature we calculated does not match the signature you provided. \
                 Check your key and signing method."
            }
            Self::InvalidContentSha256 { declared: None } => {
                "Missing required header for this request: x-amz-content-sha256"
            }
            Self::InvalidContentSha256 { .. } => {
                "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, \
                 STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, \
                 STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, \
                 STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, \
                 STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 value."
            }
            Self::ContentSha256Mismatch { .. } => {
                "The provided 'x-amz-content-sha256' header does not match what was computed."
            }
            _ => return None,
        };
        Some(message.to_owned())
    }
}

fn incomplete_header(missing: &[&str], date_missing: bool, fingerprint: &str) -> String {
    let missing =
        missing.iter().map(|name| format!("Authorization header requires '{name}' parameter. "));
    let mut message: String = missing.collect();
    if date_missing {
        message += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' \
            header. ";
    }
    message + &format!("(Hashed with SHA-256 and encoded with Base64) Authorization={fingerprint}")
}

fn invalid_expires(expires: &str) -> &'static str {
    if expires.is_empty() {
        "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, \
         X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
    } else if !expires.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
        "X-Amz-Expires should be a number"
    } else if expires.starts_with('-') || expires.bytes().all(|byte| byte == b'0') {
        "X-Amz-Expires must be non-negative"
    } else {
        "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires \
         must be less than 604800 seconds"
    }
}
