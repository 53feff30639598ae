//! Tags of keys.
//!
//! Source: API Reference, TagResource; messages from memory, none is recorded.

use std::collections::BTreeMap;

use haechi_kms_model::Error;
use haechi_kms_model::shapes::Tag;

/// Tags that a key may have.
pub(crate) const TAGS_MAX: usize = 50;

/// Whether a text has only what keys and values of tags may have: letters, digits, white space and a
/// few signs.
fn is_valid(text: &str) -> bool {
    text.chars()
        .all(|sign| sign.is_alphanumeric() || sign.is_whitespace() || "_.:/=+-@".contains(sign))
}

/// Adds tags to those that a key has, over older ones of the same key.
pub(crate) fn merge(tags: &mut BTreeMap<String, String>, added: &[Tag]) -> Result<(), Error> {
    let refuse = |message: &str| Err(Error::TagException(message.to_owned()));
    let mut fresh = BTreeMap::new();
    for tag in added {
        let reserved = tag.tag_key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:"));
        if reserved {
            return refuse("Tags beginning with aws: are reserved");
        }
        if !(is_valid(&tag.tag_key) && is_valid(&tag.tag_value)) {
            return refuse("Invalid tag");
        }
        if fresh.insert(tag.tag_key.clone(), tag.tag_value.clone()).is_some() {
            return refuse("Duplicate tag keys");
        }
    }
    if fresh.len() > TAGS_MAX {
        return refuse("Too many tags");
    }
    tags.append(&mut fresh);
    if tags.len() > TAGS_MAX {
        return Err(Error::LimitExceededException("Too many tags".to_owned()));
    }
    Ok(())
}
