//! Failures of proxies and tokens, as each operation tells them. Pure.
//!
//! The same failure is another exception in each operation, with the same message. Source: XKS Proxy
//! API Specification, "Error codes", its table of KMS's messages; Developer Guide, "Troubleshooting
//! external key stores". What a proxy itself says is never shown to a caller of KMS.

use haechi_crypto::token_keys::TokenError;
use haechi_kms_model::Error;
use haechi_kms_model::shapes::ConnectionErrorCodeType as Code;
use haechi_xks::{ErrorName, Failure};

pub(crate) const NOT_CONNECTED: &str = "This KMS key is in a custom key store that is not connected to its external key store proxy. Connect the external key store and try the request again.";
/// What KMS found inside is not what it had sent.
pub(crate) const INNER_CIPHERTEXT: &str = "The ciphertext that the external key store proxy submitted for decryption, or the encryption context, is corrupted, missing, or otherwise invalid.";

const MALFORMED: &str = "AWS KMS cannot interpret the response from the external key store proxy. If you see this error repeatedly, report it to your external key store proxy administrator.";
const KEY_DISABLED: &str = "The external key associated with this KMS key in an external key store is not enabled in the external key manager. Enable the external key in the external key manager and retry the request.";
const CIPHERTEXT: &str = "The external key store proxy rejected the request because the specified ciphertext or encryption context is corrupted, missing, or otherwise invalid.";
const KEY_USAGE: &str = "The external key associated with this KMS key in an external key store does not support the requested operation. Enable the operation on the key in your external key manager, and try the request again.";
const AUTHENTICATION: &str = "The external key store proxy rejected the request because it could not authenticate AWS KMS. Verify the XKS proxy authentication credentials for your external key store and update if necessary.";
const DENIED: &str = "The external key store proxy denied access to the operation. Verify that the user and the external key are both authorized for this operation, and try the request again.";
const KEY_NOT_FOUND: &str = "The external key associated with this KMS key in an external key store was not found in its external key manager. If the external key ID associated with this KMS key is incorrect, create a new KMS key with the correct external key ID.";
const URI_PATH: &str = "The external key store proxy rejected the request because of an invalid URI path. Verify the URI path for your external key store and update if necessary.";
const UNSUPPORTED: &str = "The external key store proxy rejected the request because it does not support the requested operation. If you see this error repeatedly, report it to your external key store proxy administrator.";
const DEPENDENCY: &str = "The external key store proxy did not respond to the request in the time allotted. Retry the request. If you see this error repeatedly, report it to your external key store proxy administrator.";
const THROTTLED: &str = "The external key store proxy rejected the request due to a very high request rate. Reduce the frequency of your calls using KMS keys in this external key store.";
const INTERNAL: &str = "The external key store proxy rejected the request because it cannot communicate with the external key manager. Verify that the external key store proxy configuration is correct and that the external key manager is available.";
const UNREACHABLE: &str = "AWS KMS cannot communicate with the external key store proxy. This might be a transient network issue. If you see this error repeatedly, verify that your external key store proxy is active and is connected to the network, and that its endpoint URI is correct in your external key store.";
const TLS: &str = "AWS KMS cannot establish a TLS connection to the external key store proxy. Verify the TLS configuration, including its certificate.";
const TIMED_OUT: &str = "AWS KMS rejected the request because the external key store proxy did not respond in time. Retry the request. If you see this error repeatedly, report it to your external key store proxy administrator.";
const UNHEALTHY: &str = "The external key store proxy is in an unhealthy state. If you see this message repeatedly, notify your external key store proxy administrator.";

/// What AWS says of a failure, whatever the operation.
pub(crate) fn message(failure: &Failure) -> &'static str {
    match failure {
        Failure::Refused(refusal) => match refusal.name {
            ErrorName::Validation => MALFORMED,
            ErrorName::InvalidState => KEY_DISABLED,
            ErrorName::InvalidCiphertext => CIPHERTEXT,
            ErrorName::InvalidKeyUsage => KEY_USAGE,
            ErrorName::AuthenticationFailed => AUTHENTICATION,
            ErrorName::AccessDenied => DENIED,
            ErrorName::KeyNotFound => KEY_NOT_FOUND,
            ErrorName::InvalidUriPath => URI_PATH,
            ErrorName::Throttling => THROTTLED,
            ErrorName::UnsupportedOperation => UNSUPPORTED,
            ErrorName::DependencyTimeout => DEPENDENCY,
            ErrorName::Internal => INTERNAL,
        },
        Failure::Malformed(_) | Failure::Defect(_) => MALFORMED,
        Failure::Unreachable(_) => UNREACHABLE,
        Failure::Tls(_) => TLS,
        Failure::TimedOut => TIMED_OUT,
        Failure::Unhealthy => UNHEALTHY,
    }
}

/// Of `CreateCustomKeyStore` and `UpdateCustomKeyStore`.
pub(crate) fn managing(failure: &Failure) -> Error {
    let told = message(failure).to_owned();
    match failure {
        Failure::Unreachable(_) | Failure::Tls(_) | Failure::TimedOut | Failure::Unhealthy => {
            Error::XksProxyUriUnreachableException(told)
        }
        Failure::Malformed(_) | Failure::Defect(_) => Error::XksProxyInvalidResponseException(told),
        Failure::Refused(refusal) => match refusal.name {
            ErrorName::AuthenticationFailed => {
                Error::XksProxyIncorrectAuthenticationCredentialException(told)
            }
            ErrorName::InvalidUriPath | ErrorName::AccessDenied => {
                Error::XksProxyInvalidConfigurationException(told)
            }
            ErrorName::DependencyTimeout | ErrorName::Throttling => {
                Error::XksProxyUriUnreachableException(told)
            }
            _ => Error::XksProxyInvalidResponseException(told),
        },
    }
}

/// Of `CreateKey`.
pub(crate) fn creating(failure: &Failure) -> Error {
    let told = message(failure).to_owned();
    match failure.error_name() {
        Some(ErrorName::InvalidState | ErrorName::InvalidKeyUsage) => {
            Error::XksKeyInvalidConfigurationException(told)
        }
        Some(ErrorName::KeyNotFound) => Error::XksKeyNotFoundException(told),
        _ => Error::CustomKeyStoreInvalidStateException(told),
    }
}

/// Of operations that use a key.
pub(crate) fn using(failure: &Failure) -> Error {
    Error::KMSInvalidStateException(message(failure).to_owned())
}

/// Of `ConnectCustomKeyStore`.
pub(crate) fn connecting(failure: &Failure) -> Code {
    match failure {
        Failure::Unreachable(_) | Failure::Unhealthy => Code::XksProxyNotReachable,
        Failure::Tls(_) => Code::XksProxyInvalidTlsConfiguration,
        Failure::TimedOut => Code::XksProxyTimedOut,
        Failure::Malformed(_) => Code::XksProxyInvalidResponse,
        Failure::Defect(_) => Code::InternalError,
        Failure::Refused(refusal) => match refusal.name {
            ErrorName::AuthenticationFailed => Code::InvalidCredentials,
            ErrorName::AccessDenied => Code::XksProxyAccessDenied,
            ErrorName::InvalidUriPath => Code::XksProxyInvalidConfiguration,
            ErrorName::DependencyTimeout => Code::XksProxyTimedOut,
            ErrorName::Throttling | ErrorName::Internal => Code::XksProxyNotReachable,
            _ => Code::XksProxyInvalidResponse,
        },
    }
}

/// Of `ConnectCustomKeyStore`, of a token.
pub(crate) fn connecting_token(error: &TokenError) -> Code {
    match error {
        TokenError::NoToken { .. } => Code::InsufficientCloudhsmHsms,
        TokenError::WrongPin => Code::InvalidCredentials,
        TokenError::LockedOut => Code::UserLockedOut,
        TokenError::NoUser => Code::UserNotFound,
        TokenError::InUse => Code::UserLoggedIn,
        TokenError::Module { .. } => Code::NetworkErrors,
        _ => Code::InternalError,
    }
}

/// Of `CreateKey`, of a token.
pub(crate) fn creating_token(error: &TokenError) -> Error {
    let told = told_of_token(error).to_owned();
    match error {
        TokenError::NoToken { .. } | TokenError::Module { .. } => {
            Error::CloudHsmClusterInvalidConfigurationException(told)
        }
        _ => Error::CustomKeyStoreInvalidStateException(told),
    }
}

/// Of operations that use a key in a token.
pub(crate) fn using_token(error: &TokenError) -> Error {
    match error {
        TokenError::InvalidCiphertext => Error::InvalidCiphertextException(String::new()),
        other => Error::KMSInvalidStateException(told_of_token(other).to_owned()),
    }
}

fn told_of_token(error: &TokenError) -> &'static str {
    match error {
        TokenError::NoToken { .. } | TokenError::Module { .. } => {
            "The AWS CloudHSM cluster that is associated with the custom key store has no active HSM."
        }
        TokenError::NoKey { .. } | TokenError::Extractable { .. } => {
            "The key material of this KMS key was not found in the AWS CloudHSM cluster that is associated with its custom key store."
        }
        TokenError::WrongPin | TokenError::LockedOut | TokenError::NoUser | TokenError::InUse => {
            "AWS KMS cannot log in to the AWS CloudHSM cluster that is associated with the custom key store. Disconnect the custom key store, update its password, and connect it again."
        }
        TokenError::InvalidCiphertext | TokenError::Failed { .. } => {
            "The AWS CloudHSM cluster that is associated with the custom key store failed. Disconnect the custom key store and connect it again."
        }
    }
}

#[cfg(test)]
mod tests {
    use haechi_xks::Refusal;

    use super::*;

    fn refused(name: ErrorName) -> Failure {
        Failure::Refused(Refusal::new(name, "the proxy's own words"))
    }

    #[test]
    fn what_a_proxy_says_itself_is_never_shown() {
        for name in ErrorName::ALL {
            let failure = refused(name);
            for error in [managing(&failure), creating(&failure), using(&failure)] {
                let told = format!("{error:?}");
                assert!(!told.contains("own words"), "{told}");
            }
        }
    }

    #[test]
    fn each_operation_has_the_exception_of_the_specification() {
        use ErrorName as E;
        let told = |error: Error| {
            let text = format!("{error:?}");
            text.split('(').next().unwrap_or_default().to_owned()
        };
        for (failure, manage, create) in [
            (refused(E::Validation), "XksProxyInvalidResponse", "CustomKeyStoreInvalidState"),
            (refused(E::InvalidState), "XksProxyInvalidResponse", "XksKeyInvalidConfiguration"),
            (refused(E::InvalidKeyUsage), "XksProxyInvalidResponse", "XksKeyInvalidConfiguration"),
            (
                refused(E::AuthenticationFailed),
                "XksProxyIncorrectAuthenticationCredential",
                "CustomKeyStoreInvalidState",
            ),
            (refused(E::KeyNotFound), "XksProxyInvalidResponse", "XksKeyNotFound"),
            (
                refused(E::InvalidUriPath),
                "XksProxyInvalidConfiguration",
                "CustomKeyStoreInvalidState",
            ),
            (refused(E::DependencyTimeout), "XksProxyUriUnreachable", "CustomKeyStoreInvalidState"),
            (refused(E::Throttling), "XksProxyUriUnreachable", "CustomKeyStoreInvalidState"),
            (refused(E::Internal), "XksProxyInvalidResponse", "CustomKeyStoreInvalidState"),
            (
                Failure::Unreachable(String::new()),
                "XksProxyUriUnreachable",
                "CustomKeyStoreInvalidState",
            ),
            (Failure::Tls(String::new()), "XksProxyUriUnreachable", "CustomKeyStoreInvalidState"),
            (Failure::TimedOut, "XksProxyUriUnreachable", "CustomKeyStoreInvalidState"),
            (
                Failure::Malformed(String::new()),
                "XksProxyInvalidResponse",
                "CustomKeyStoreInvalidState",
            ),
        ] {
            assert_eq!(told(managing(&failure)), format!("{manage}Exception"), "{failure}");
            assert_eq!(told(creating(&failure)), format!("{create}Exception"), "{failure}");
            assert_eq!(told(using(&failure)), "KMSInvalidStateException", "{failure}");
        }
    }
}
