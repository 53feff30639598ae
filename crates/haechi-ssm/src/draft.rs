//! From a request to what the next version of a parameter is to be (pure).

use haechi_ssm_model::Error;
use haechi_ssm_model::shapes::{ParameterType, PutParameterRequest};
use regex::RegexBuilder;

use crate::data_type;
use crate::error::invalid;
use crate::secure::DEFAULT_KEY;
use crate::store::{ParameterRecord, VersionRecord};

/// The longest value that the API reads, in characters.
const VALUE_MAX: usize = 32_768;

/// Bound on a compiled pattern, in bytes: patterns come from callers.
const PATTERN_SIZE_MAX: usize = 1 << 20;

/// What a new version is to be, but for its tier and its policies.
pub(crate) struct Draft {
    pub(crate) kind: ParameterType,
    pub(crate) data_type: String,
    pub(crate) allowed_pattern: Option<String>,
    pub(crate) description: Option<String>,
    /// Of a `SecureString`.
    pub(crate) key_id: Option<String>,
}

/// Checks a request against the parameter that is there, if one is.
pub(crate) fn draft(
    input: &PutParameterRequest,
    old: Option<&ParameterRecord>,
) -> Result<Draft, Error> {
    check_combination(input, old)?;
    let old = old.map(|parameter| &*parameter.current);
    let kind = match (input.r#type, old) {
        (Some(kind), _) => kind,
        (None, Some(old)) => ParameterType::parse(&old.kind).unwrap_or_default(),
        (None, None) => {
            return Err(invalid("A parameter type is required when you create a parameter."));
        }
    };
    let secure = kind == ParameterType::SecureString;
    if input.key_id.is_some() && !secure {
        return Err(invalid("KeyId can be specified for parameters of type SecureString only."));
    }
    check_value(&input.value.0)?;
    let old_data_type = old.map_or(data_type::TEXT, |old| old.data_type.as_str());
    let data_type = input.data_type.as_deref().filter(|name| !name.is_empty());
    let data_type = data_type.unwrap_or(old_data_type);
    if old.is_some() && !data_type::may_become(old_data_type, data_type) {
        return Err(invalid(format!(
            "The data type of a parameter can't be changed from {old_data_type} to {data_type}."
        )));
    }
    data_type::check(data_type, kind, &input.value.0)?;
    let allowed_pattern = kept(input.allowed_pattern.as_ref(), old, |old| &old.allowed_pattern);
    if let Some(pattern) = &allowed_pattern {
        check_pattern(pattern, &input.value.0)?;
    }
    // A new value stays under its key: Terraform sends the key only where it changes.
    let old_key = || old.and_then(|old| old.key_id.clone());
    let key = || input.key_id.clone().or_else(old_key).unwrap_or_else(|| DEFAULT_KEY.to_owned());
    Ok(Draft {
        kind,
        data_type: data_type.to_owned(),
        allowed_pattern,
        description: kept(input.description.as_ref(), old, |old| &old.description),
        key_id: secure.then(key),
    })
}

/// What is sent, else what was; an empty text takes it away.
fn kept(
    sent: Option<&String>,
    old: Option<&VersionRecord>,
    of: impl FnOnce(&VersionRecord) -> &Option<String>,
) -> Option<String> {
    let text = sent.cloned().or_else(|| old.and_then(|old| of(old).clone()));
    text.filter(|text| !text.is_empty())
}

fn check_combination(
    input: &PutParameterRequest,
    old: Option<&ParameterRecord>,
) -> Result<(), Error> {
    let overwrite = input.overwrite == Some(true);
    if overwrite && input.tags.as_ref().is_some_and(|tags| !tags.is_empty()) {
        return Err(invalid(
            "Invalid request: tags and overwrite can't be used together. To create a parameter \
             with tags, please remove overwrite flag. To update tags for an existing parameter, \
             please use AddTagsToResource or RemoveTagsFromResource.",
        ));
    }
    if old.is_some() && !overwrite {
        return Err(Error::ParameterAlreadyExists(
            "The parameter already exists. To overwrite this value, set the overwrite option in \
             the request to true."
                .to_owned(),
        ));
    }
    Ok(())
}

fn check_value(value: &str) -> Result<(), Error> {
    if value.is_empty() {
        return Err(invalid(
            "1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member \
             must have length greater than or equal to 1.",
        ));
    }
    if value.encode_utf16().count() > VALUE_MAX {
        return Err(invalid(format!(
            "1 validation error detected: Value at 'value' failed to satisfy constraint: Member \
             must have length less than or equal to {VALUE_MAX}"
        )));
    }
    let nested = value.split_once("{{").is_some_and(|(_, rest)| rest.contains("}}"));
    if nested {
        return Err(invalid(
            "Parameter value can't nest another parameter. Do not use \"{{}}\" in the value.",
        ));
    }
    Ok(())
}

/// Checks that a pattern is one, and that it matches the whole value.
fn check_pattern(pattern: &str, value: &str) -> Result<(), Error> {
    let whole = format!(r"\A(?:{pattern})\z");
    let compiled = RegexBuilder::new(&whole).size_limit(PATTERN_SIZE_MAX).build();
    let compiled = compiled.map_err(|_| {
        Error::InvalidAllowedPatternException(format!(
            "The following pattern is not a valid regular expression: {pattern}"
        ))
    })?;
    if compiled.is_match(value) {
        return Ok(());
    }
    Err(Error::ParameterPatternMismatchException(format!(
        "Parameter value, cannot be validated against allowedPattern: {pattern}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_must_match_the_whole_value() {
        assert!(check_pattern(r"^\d+$", "123").is_ok());
        assert!(check_pattern(r"\d+|x", "123").is_ok());
        assert!(check_pattern(r"\d+", "123a").is_err());
        assert!(check_pattern(r"\d+|x", "1x").is_err());
    }

    #[test]
    fn what_is_no_pattern_or_too_large_a_one_is_refused() {
        for pattern in ["(", "(?=a)", "((a{1000}){1000}){1000}"] {
            let refused = check_pattern(pattern, "a");
            assert!(matches!(refused, Err(Error::InvalidAllowedPatternException(_))), "{pattern}");
        }
    }

    #[test]
    fn a_value_names_no_other_parameter() {
        assert!(check_value("{{ssm:other}}").is_err());
        assert!(check_value("{{}}").is_err());
        assert!(check_value("}}{{").is_ok());
        assert!(check_value("{\"a\":{}}").is_ok());
        assert!(check_value("").is_err());
    }
}
