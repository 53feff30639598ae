//! Errors in SQS's words that several operations answer.

use haechi_sqs_model::Error;

/// `InvalidParameterValue`: a parameter, its value, and what is wrong with it.
pub(crate) fn invalid(parameter: &str, value: &str, reason: &str) -> Error {
    Error::InvalidParameterValueException(format!(
        "Value {value} for parameter {parameter} is invalid. Reason: {reason}"
    ))
}

/// `MissingParameter`.
pub(crate) fn missing(parameter: &str) -> Error {
    Error::MissingRequiredParameterException(format!(
        "The request must contain the parameter {parameter}."
    ))
}

pub(crate) fn no_queue() -> Error {
    Error::QueueDoesNotExist("The specified queue does not exist.".to_owned())
}
