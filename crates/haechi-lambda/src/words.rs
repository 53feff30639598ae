//! AWS's error messages, as recorded.

use haechi_lambda_model::Error;

/// What AWS says of an error that is the caller's.
fn user() -> String {
    "User".to_owned()
}

pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error::InvalidParameterValueException(message.into(), user())
}

pub(crate) fn not_found(message: impl Into<String>) -> Error {
    Error::ResourceNotFoundException(message.into(), user())
}

pub(crate) fn no_function(arn: &str) -> Error {
    not_found(format!("Function not found: {arn}"))
}

pub(crate) fn no_policy() -> Error {
    not_found("The resource you requested does not exist.")
}

pub(crate) fn conflict(message: impl Into<String>) -> Error {
    Error::ResourceConflictException(message.into(), user())
}

/// A revision that is not the latest; `call` tells it.
pub(crate) fn revision(call: &str) -> Error {
    Error::PreconditionFailedException(
        format!(
            "The Revision Id provided does not match the latest Revision Id. Call the {call} API \
             to retrieve the latest Revision Id"
        ),
        user(),
    )
}

pub(crate) fn content(message: impl Into<String>) -> Error {
    Error::InvalidRequestContentException(message.into(), user())
}

/// Too many instances at a time.
pub(crate) fn throttled(reserved: bool) -> Error {
    let reason = if reserved {
        "ReservedFunctionConcurrentInvocationLimitExceeded"
    } else {
        "ConcurrentInvocationLimitExceeded"
    };
    Error::TooManyRequestsException(
        "Rate Exceeded.".to_owned(),
        String::new(),
        user(),
        reason.to_owned(),
    )
}

pub(crate) fn too_large(limit: usize, operation: &str) -> Error {
    Error::RequestTooLargeException(
        format!("Request must be smaller than {limit} bytes for the {operation} operation"),
        user(),
    )
}

pub(crate) fn qualifier_mismatch() -> Error {
    invalid("The derived qualifier from the function name does not match the specified qualifier.")
}
