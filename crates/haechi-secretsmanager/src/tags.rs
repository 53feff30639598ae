//! Tags of secrets.
//!
//! Source: API Reference, TagResource; the messages are ours.

use std::collections::BTreeMap;

use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::shapes::Tag;

use crate::secret::SecretRecord;
use crate::words;

/// Tags that a secret may have.
const TAGS_MAX: usize = 50;

/// Adds tags to those that a secret has, over older ones of the same key.
pub(crate) fn merge(tags: &mut BTreeMap<String, String>, added: &[Tag]) -> Result<(), Error> {
    let mut fresh = BTreeMap::new();
    for tag in added {
        let Some(key) = tag.key.clone() else {
            return Err(words::parameter("Every tag must have a Key."));
        };
        if key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
            return Err(words::parameter("Tag keys that begin with aws: are reserved."));
        }
        if fresh.insert(key, tag.value.clone().unwrap_or_default()).is_some() {
            return Err(words::parameter("Every tag key can be given once."));
        }
    }
    tags.append(&mut fresh);
    if tags.len() > TAGS_MAX {
        return Err(words::limit(format!("A secret can have at most {TAGS_MAX} tags.")));
    }
    Ok(())
}

/// As an answer lists them. As AWS, a secret that lost all its tags has an empty list, one that
/// never had any has none.
pub(crate) fn list(record: &SecretRecord) -> Option<Vec<Tag>> {
    let tags = &record.tags;
    let one = |(key, value): (&String, &String)| Tag {
        key: Some(key.clone()),
        value: Some(value.clone()),
    };
    (record.tags_emptied || !tags.is_empty()).then(|| tags.iter().map(one).collect())
}
