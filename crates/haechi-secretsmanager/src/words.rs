//! AWS's error messages. Those that are recorded, or widely quoted, are AWS's to the letter; the
//! others are ours and say so.

use haechi_secretsmanager_model::Error;

/// Of a request that makes a version and has no id for it.
pub(crate) const NO_TOKEN: &str =
    "You must provide a ClientRequestToken value. We recommend a UUID-type value.";

/// Of a secret that is not there.
pub(crate) fn not_found() -> Error {
    Error::ResourceNotFoundException("Secrets Manager can't find the specified secret.".to_owned())
}

/// Of a secret that waits for its deletion.
pub(crate) fn marked() -> Error {
    request("You can't perform this operation on the secret because it was marked for deletion.")
}

/// Of a secret that another service made, and changes.
pub(crate) fn managed() -> Error {
    request("The secret is managed by another service, and you must use that service to update it.")
}

/// Of a change that a replica's Region was asked for.
pub(crate) fn replica() -> Error {
    parameter(
        "Operation not permitted on a replica secret. Call must be made in primary secret's region.",
    )
}

/// Of a change of values that a replica of another account's secret was asked for. Ours.
pub(crate) fn cross_replica() -> Error {
    request(
        "Operation not permitted on a cross-account replica secret. Change the primary secret, or \
         stop the replication first.",
    )
}

/// Of a replica of another account's secret without a key of its own. Ours.
pub(crate) fn cross_key() -> Error {
    parameter("A cross-account replica secret must use a customer managed KMS key.")
}

/// Of a token that stands for another value already.
pub(crate) fn token_in_use(token: &str, arn: &str) -> Error {
    Error::ResourceExistsException(format!(
        "You can't use ClientRequestToken {token} because that value is already in use for a version \
         of secret {arn}."
    ))
}

/// Of a label or version that no value has.
pub(crate) fn no_value(by: &str, which: &str) -> Error {
    Error::ResourceNotFoundException(format!(
        "Secrets Manager can't find the specified secret value for {by}: {which}"
    ))
}

pub(crate) fn parameter(message: impl Into<String>) -> Error {
    Error::InvalidParameterException(message.into())
}

pub(crate) fn request(message: impl Into<String>) -> Error {
    Error::InvalidRequestException(message.into())
}

pub(crate) fn limit(message: impl Into<String>) -> Error {
    Error::LimitExceededException(message.into())
}

/// Of a page token that was not handed out. Ours.
pub(crate) fn token() -> Error {
    Error::InvalidNextTokenException("The NextToken value is not valid.".to_owned())
}
