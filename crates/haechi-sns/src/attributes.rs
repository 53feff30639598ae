//! Message attributes: checks.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use haechi_sns_model::Error;
use haechi_sns_model::shapes::MessageAttributeValue;

use crate::Attribute;

/// Bytes of a name, at most.
const NAME_MAX: usize = 256;

/// Checks attributes as they were given.
pub(crate) fn parse(
    given: BTreeMap<String, MessageAttributeValue>,
) -> Result<BTreeMap<String, Attribute>, Error> {
    given
        .into_iter()
        .map(|(name, value)| {
            check_name(&name)?;
            let attribute = attribute(&name, value)?;
            Ok((name, attribute))
        })
        .collect()
}

/// Bytes of attributes, as AWS counts them.
pub(crate) fn size(attributes: &BTreeMap<String, Attribute>) -> usize {
    let value = |attribute: &Attribute| {
        let bytes = attribute.value.len();
        if attribute.is_binary() { bytes / 4 * 3 } else { bytes }
    };
    attributes.iter().map(|(name, it)| name.len() + it.data_type.len() + value(it)).sum()
}

fn refused(told: String) -> Error {
    Error::InvalidParameterValueException(told)
}

fn check_name(name: &str) -> Result<(), Error> {
    // Source: SNS API reference, MessageAttributeValue: names must not be empty. A queue takes none
    // such, so raw messages would be lost.
    if name.is_empty() {
        return Err(refused("The message attribute name must not be empty.".to_owned()));
    }
    if name.len() >= NAME_MAX {
        let told = format!("Length of message attribute name must be less than {NAME_MAX} bytes.");
        return Err(refused(told));
    }
    let plain = |character: &char| {
        character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.')
    };
    if let Some(other) = name.chars().find(|character| !plain(character)) {
        return Err(refused(format!(
            "Invalid non-alphanumeric character '#x{:X}' was found in the message attribute name. Can only include alphanumeric characters, hyphens, underscores, or dots.",
            u32::from(other)
        )));
    }
    let at = match name {
        _ if name.starts_with('.') => "starting",
        _ if name.ends_with('.') => "ending",
        _ if name.contains("..") => {
            let told = "Message attribute name can not have successive '.' character.";
            return Err(refused(told.to_owned()));
        }
        _ => return Ok(()),
    };
    Err(refused(format!("Invalid message attribute name {at} with character '.' was found.")))
}

fn attribute(name: &str, given: MessageAttributeValue) -> Result<Attribute, Error> {
    let MessageAttributeValue { data_type, string_value, binary_value } = given;
    let kind = data_type.split('.').next().unwrap_or_default();
    let (binary, field) = match kind {
        "String" | "Number" => (false, "String"),
        "Binary" => (true, "Binary"),
        "" => {
            return Err(refused(format!(
                "The message attribute '{name}' must contain non-empty message attribute type."
            )));
        }
        _ => {
            return Err(refused(format!(
                "The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String."
            )));
        }
    };
    let other_is_given = if binary { string_value.is_some() } else { binary_value.is_some() };
    let value = match (binary, string_value, binary_value) {
        (false, Some(text), _) => text,
        (true, _, Some(bytes)) => STANDARD.encode(&bytes.0),
        _ => String::new(),
    };
    if value.is_empty() && other_is_given {
        return Err(refused(format!(
            "The message attribute '{name}' with type '{data_type}' must use field '{field}'."
        )));
    }
    if value.is_empty() {
        return Err(refused(format!(
            "The message attribute '{name}' must contain non-empty message attribute value for message attribute type '{data_type}'."
        )));
    }
    if kind == "Number" && !value.parse::<f64>().is_ok_and(f64::is_finite) {
        return Err(refused(format!("Could not cast message attribute '{name}' value to number.")));
    }
    Ok(Attribute { data_type, value })
}
