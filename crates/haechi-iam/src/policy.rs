//! Inline policies.

use std::collections::BTreeMap;

use haechi_iam_model::Error;
use haechi_policy::{Document, Kind};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Characters of all inline policies of a user, white space not counted ("IAM and AWS STS
/// quotas").
const CHARACTERS_MAX: usize = 2048;

/// What RFC 3986 calls unreserved stays.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A policy document as answers carry it.
pub(crate) fn encoded(document: &str) -> String {
    utf8_percent_encode(document, RESERVED).to_string()
}

/// Refuses what is not an identity-based policy.
pub(crate) fn check(document: &str) -> Result<(), Error> {
    match Document::parse(document, Kind::Identity) {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::MalformedPolicyDocumentException(error.to_string())),
    }
}

/// Refuses policies that are too long together.
pub(crate) fn check_size(user: &str, policies: &BTreeMap<String, String>) -> Result<(), Error> {
    let characters = policies.values().flat_map(|document| document.chars());
    if characters.filter(|character| !character.is_whitespace()).count() <= CHARACTERS_MAX {
        return Ok(());
    }
    Err(Error::LimitExceededException(format!(
        "Maximum policy size of {CHARACTERS_MAX} bytes exceeded for user {user}"
    )))
}

/// The error for a policy that is not there.
pub(crate) fn not_found(name: &str) -> Error {
    Error::NoSuchEntityException(format!("The user policy with name {name} cannot be found."))
}
