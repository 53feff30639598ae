//! Tags of parameters.

use std::collections::BTreeMap;

use haechi_ssm_model::Error;
use haechi_ssm_model::shapes::Tag;

use crate::error::invalid;

/// Tags of one parameter, at most.
const TAGS_MAX: usize = 50;

/// Lays tags over those that are there.
pub(crate) fn lay_over(tags: &mut BTreeMap<String, String>, added: &[Tag]) -> Result<(), Error> {
    for tag in added {
        if tag.key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
            return Err(invalid(format!(
                "The tag key {} is not valid: aws: prefixed tag key names are not allowed for \
                 external use.",
                tag.key
            )));
        }
        tags.insert(tag.key.clone(), tag.value.clone());
    }
    if tags.len() > TAGS_MAX {
        return Err(Error::TooManyTagsError(String::new()));
    }
    Ok(())
}

/// As answers show them.
pub(crate) fn shown(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect()
}
