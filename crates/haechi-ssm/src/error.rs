//! Failures in AWS's words.

use haechi_ssm_model::Error;
use haechi_wire::Fault;

/// A request that breaks a rule that the model does not state.
pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error::Fault(Fault::Validation(message.into()))
}

/// AWS's answer has no words here.
pub(crate) fn not_found() -> Error {
    Error::ParameterNotFound(String::new())
}

/// A version that a parameter does not have (any more).
pub(crate) fn version_not_found(version: &str, name: &str) -> Error {
    Error::ParameterVersionNotFound(format!(
        "Systems Manager could not find version {version} of {name}. Verify the version and try \
         again."
    ))
}

pub(crate) fn invalid_token() -> Error {
    Error::InvalidNextToken("The specified token isn't valid.".to_owned())
}
