//! Errors in SNS's words that several operations answer.

use std::fmt::Display;

use haechi_sns_model::Error;

/// `InvalidParameter`.
pub(crate) fn invalid(what: impl Display) -> Error {
    Error::InvalidParameterException(format!("Invalid parameter: {what}"))
}

/// `InvalidParameter`: a parameter, and what is wrong with it.
pub(crate) fn invalid_because(parameter: &str, reason: impl Display) -> Error {
    invalid(format!("{parameter} Reason: {reason}"))
}

pub(crate) fn no_topic() -> Error {
    Error::NotFoundException("Topic does not exist".to_owned())
}

pub(crate) fn no_subscription() -> Error {
    Error::NotFoundException("Subscription does not exist".to_owned())
}
