//! Names and ARNs, and what a caller may name a secret by.
//!
//! Source: API Reference, CreateSecret; User Guide, "Find secrets"; recordings.

use haechi_core::{AccountId, Cx, Region};
use haechi_secretsmanager_model::Error;
use haechi_wire::Fault;

use crate::words;

/// Characters at the end of an ARN that AWS adds, after a hyphen.
pub(crate) const SUFFIX_LENGTH: usize = 6;

/// What the characters are drawn from.
const SUFFIX_ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A secret as the caller named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SecretId {
    pub(crate) account: String,
    pub(crate) name: String,
    /// The end of the ARN, if the caller gave all of it.
    pub(crate) suffix: Option<String>,
}

impl SecretId {
    /// Reads a name, an ARN, or an ARN without its random end.
    pub(crate) fn parse(cx: &Cx, text: &str) -> Result<SecretId, Error> {
        let own = cx.account().as_str();
        let Some(rest) = text.strip_prefix("arn:") else {
            if text.len() > 512 {
                return Err(invalid_id());
            }
            check(text)?;
            return Ok(SecretId { account: own.to_owned(), name: text.to_owned(), suffix: None });
        };
        let parts: Vec<&str> = rest.splitn(6, ':').collect();
        let [partition, "secretsmanager", region, account, "secret", name] = parts.as_slice()
        else {
            return Err(invalid_id());
        };
        let known = *partition == cx.region.partition() && AccountId::parse(account).is_some();
        if !known || name.is_empty() || Region::parse(region).is_none() {
            return Err(invalid_id());
        }
        // A secret of another Region is not here.
        if *region != cx.region.as_str() {
            return Err(words::not_found());
        }
        let (name, suffix) = split(name);
        let (account, name) = ((*account).to_owned(), name.to_owned());
        Ok(SecretId { account, name, suffix: suffix.map(str::to_owned) })
    }
}

fn invalid_id() -> Error {
    words::parameter("Invalid secret name or ARN.")
}

/// The name in the last part of an ARN, and its random end if it seems to have one: so a name that
/// ends like that is not found by an ARN without its end. AWS has the same trap.
fn split(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once('-') {
        Some((name, end))
            if end.len() == SUFFIX_LENGTH && end.bytes().all(|b| b.is_ascii_alphanumeric()) =>
        {
            (name, Some(end))
        }
        _ => (text, None),
    }
}

/// Checks a name, of a new secret or of one that is asked for.
pub(crate) fn check(name: &str) -> Result<(), Error> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+=.@-!".contains(&byte);
    if name.bytes().all(fits) {
        return Ok(());
    }
    Err(Error::Fault(Fault::Validation(
        "Invalid name. Must be a valid name containing alphanumeric characters, or any of the \
         following: -/_+=.@!"
            .to_owned(),
    )))
}

/// Six random characters.
pub(crate) fn suffix(cx: &Cx) -> Result<String, Fault> {
    cx.env.characters(SUFFIX_ALPHABET, SUFFIX_LENGTH).map_err(Fault::internal)
}

/// The ARN of a secret.
pub(crate) fn arn(region: &Region, account: &str, name: &str, suffix: &str) -> String {
    let partition = region.partition();
    format!("arn:{partition}:secretsmanager:{region}:{account}:secret:{name}-{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_characters_after_the_last_hyphen_are_taken_for_the_random_end() {
        assert_eq!(split("a/b-c1D2e3"), ("a/b", Some("c1D2e3")));
        for whole in ["a/b", "a-b1", "a-b1c2d3e", "a-b_c2d3", "a-b1c2d3-"] {
            assert_eq!(split(whole), (whole, None), "{whole}");
        }
    }

    #[test]
    fn names_have_letters_digits_and_eight_signs() {
        assert!(check("Valid/_+=.@-Name!1").is_ok());
        for wrong in ["Inv Name", "a*", "a?", "ä", "a\\", "a:b"] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }
}
