//! The errors of the API: name, HTTP status, and what is told beside it.

use serde::{Deserialize, Serialize};

/// Characters of `errorMessage`, at most.
const MESSAGE_MAX: usize = 511;

/// A name of the specification's table of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorName {
    /// An input parameter is invalid.
    Validation,
    /// The key or key store is disabled, deactivated or blocked.
    InvalidState,
    /// The ciphertext, or what goes with it, is not what was encrypted.
    InvalidCiphertext,
    /// The key does not do what is asked.
    InvalidKeyUsage,
    /// The signature is not valid.
    AuthenticationFailed,
    /// What the request says of itself does not allow it.
    AccessDenied,
    /// There is no such key.
    KeyNotFound,
    /// There is no such path.
    InvalidUriPath,
    /// Too many requests.
    Throttling,
    /// Not done by this proxy, or larger than it takes.
    UnsupportedOperation,
    /// What the proxy depends on did not answer in time.
    DependencyTimeout,
    /// Anything else.
    Internal,
}

impl ErrorName {
    /// All of them.
    pub const ALL: [ErrorName; 12] = [
        ErrorName::Validation,
        ErrorName::InvalidState,
        ErrorName::InvalidCiphertext,
        ErrorName::InvalidKeyUsage,
        ErrorName::AuthenticationFailed,
        ErrorName::AccessDenied,
        ErrorName::KeyNotFound,
        ErrorName::InvalidUriPath,
        ErrorName::Throttling,
        ErrorName::UnsupportedOperation,
        ErrorName::DependencyTimeout,
        ErrorName::Internal,
    ];

    /// As `errorName` has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            ErrorName::Validation => "ValidationException",
            ErrorName::InvalidState => "InvalidStateException",
            ErrorName::InvalidCiphertext => "InvalidCiphertextException",
            ErrorName::InvalidKeyUsage => "InvalidKeyUsageException",
            ErrorName::AuthenticationFailed => "AuthenticationFailedException",
            ErrorName::AccessDenied => "AccessDeniedException",
            ErrorName::KeyNotFound => "KeyNotFoundException",
            ErrorName::InvalidUriPath => "InvalidUriPathException",
            ErrorName::Throttling => "ThrottlingException",
            ErrorName::UnsupportedOperation => "UnsupportedOperationException",
            ErrorName::DependencyTimeout => "DependencyTimeoutException",
            ErrorName::Internal => "InternalException",
        }
    }

    /// The error of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<ErrorName> {
        ErrorName::ALL.into_iter().find(|error| error.as_str() == name)
    }

    /// The HTTP status that goes with it.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            ErrorName::Validation
            | ErrorName::InvalidState
            | ErrorName::InvalidCiphertext
            | ErrorName::InvalidKeyUsage => 400,
            ErrorName::AuthenticationFailed => 401,
            ErrorName::AccessDenied => 403,
            ErrorName::KeyNotFound | ErrorName::InvalidUriPath => 404,
            ErrorName::Throttling => 429,
            ErrorName::Internal => 500,
            ErrorName::UnsupportedOperation => 501,
            ErrorName::DependencyTimeout => 503,
        }
    }
}

/// Why the proxy does not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", name.as_str())]
pub struct Refusal {
    /// Which error.
    pub name: ErrorName,
    /// `errorMessage`.
    pub message: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    error_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
}

impl Refusal {
    /// An error; of the message what the specification lets through, printable ASCII.
    pub fn new(name: ErrorName, message: impl AsRef<str>) -> Refusal {
        let printable = |c: char| if c == ' ' || c.is_ascii_graphic() { c } else { '?' };
        let message = message.as_ref().chars().take(MESSAGE_MAX).map(printable).collect();
        Refusal { name, message }
    }

    /// Its JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let body = Body {
            error_name: self.name.as_str().to_owned(),
            error_message: Some(self.message.clone()),
        };
        serde_json::to_vec(&body).unwrap_or_default()
    }

    /// Reads what [`Self::to_json`] wrote; `None` if it is something else.
    #[must_use]
    pub fn from_json(body: &[u8]) -> Option<Refusal> {
        let body: Body = serde_json::from_slice(body).ok()?;
        let name = ErrorName::parse(&body.error_name)?;
        Some(Refusal::new(name, body.error_message.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_comes_back_from_its_json() {
        for name in ErrorName::ALL {
            let refusal = Refusal::new(name, "because");
            assert_eq!(Refusal::from_json(&refusal.to_json()), Some(refusal));
        }
        assert_eq!(Refusal::from_json(b"{\"errorName\":\"Other\"}"), None);
        let bare = Refusal::from_json(b"{\"errorName\":\"KeyNotFoundException\"}");
        assert_eq!(bare, Some(Refusal::new(ErrorName::KeyNotFound, "")));
    }

    #[test]
    fn a_message_is_printable_ascii_and_shorter_than_512_characters() {
        let message = Refusal::new(ErrorName::Internal, "ä\n".repeat(600)).message;
        assert_eq!(message.len(), 511);
        assert!(message.bytes().all(|byte| (0x20..=0x7e).contains(&byte)));
    }
}
