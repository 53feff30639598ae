//! Tags of roots, units, accounts, policies and invitations.

use haechi_organizations_model::Error;
use haechi_organizations_model::shapes::Tag;

use crate::error::{constraint, invalid};
use crate::store::Tags;

/// Tags on one resource, at most.
const TAGS_MAX: usize = 50;

/// Tags with others laid over them.
pub(crate) fn merged(mut existing: Tags, added: &[Tag]) -> Result<Tags, Error> {
    for (at, tag) in added.iter().enumerate() {
        let reserved = tag.key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:"));
        if reserved {
            let message = "You specified a tag key that is reserved by AWS.";
            return Err(invalid("INVALID_SYSTEM_TAGS_PARAMETER", message));
        }
        if added.iter().skip(at + 1).any(|other| other.key == tag.key) {
            return Err(invalid("DUPLICATE_TAG_KEY", "Tag keys must be unique."));
        }
        match existing.iter_mut().find(|(key, _)| *key == tag.key) {
            Some((_, value)) => value.clone_from(&tag.value),
            None => existing.push((tag.key.clone(), tag.value.clone())),
        }
    }
    if existing.len() > TAGS_MAX {
        let message = "You have exceeded the number of tags allowed on this resource.";
        return Err(constraint("MAX_TAG_LIMIT_EXCEEDED", message));
    }
    Ok(existing)
}

/// New tags, of something that has none yet.
pub(crate) fn new(tags: Option<&Vec<Tag>>) -> Result<Tags, Error> {
    merged(Tags::new(), tags.map_or(&[], Vec::as_slice))
}

/// As answers show them.
pub(crate) fn shown(tags: &Tags) -> Vec<Tag> {
    let shown = |(key, value): &(String, String)| Tag { key: key.clone(), value: value.clone() };
    tags.iter().map(shown).collect()
}
