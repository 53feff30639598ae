//! Session tags ("Pass session tags in AWS STS"): given with a session, or inherited from the
//! calling one where they are transitive.

use haechi_core::Caller;
use haechi_sts_model::Error;
use haechi_sts_model::shapes::Tag;

use crate::issue::invalid_parameter;

/// Tags of one session, inherited ones among them.
const TAGS_MAX: usize = 50;

const CONFLICT: &str = "One of the specified transitive tag keys can't be set because it \
    conflicts with a transitive tag key from the calling session.";

/// The tags of a new session.
#[derive(Default)]
pub(crate) struct SessionTags {
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) transitive_keys: Vec<String>,
}

fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Checks the tags that were given, and adds those that are inherited.
pub(crate) fn of_session(
    caller: &Caller,
    given: &[Tag],
    transitive_keys: &[String],
) -> Result<SessionTags, Error> {
    for (at, tag) in given.iter().enumerate() {
        if tag.key.to_lowercase().starts_with("aws:") {
            return Err(invalid_parameter("Tag keys that begin with aws: are reserved."));
        }
        if given.iter().skip(at + 1).any(|other| same(&tag.key, &other.key)) {
            let message =
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
            return Err(invalid_parameter(message));
        }
    }
    let inherited = caller.session.as_ref().map(|session| session.transitive_tags.as_slice());
    let inherited = inherited.unwrap_or_default();
    let is_inherited = |key: &str| inherited.iter().any(|(own, _)| same(own, key));
    let named = given.iter().map(|tag| tag.key.as_str());
    if named.chain(transitive_keys.iter().map(String::as_str)).any(is_inherited) {
        return Err(invalid_parameter(CONFLICT));
    }
    let mut keys = Vec::with_capacity(transitive_keys.len() + inherited.len());
    for key in transitive_keys {
        let Some(tag) = given.iter().find(|tag| same(&tag.key, key)) else {
            let message =
                "The specified transitive tag key must be included in the requested tags.";
            return Err(invalid_parameter(message));
        };
        keys.push(tag.key.clone());
    }
    keys.extend(inherited.iter().map(|(key, _)| key.clone()));
    let given = given.iter().map(|tag| (tag.key.clone(), tag.value.clone()));
    let tags: Vec<_> = given.chain(inherited.iter().cloned()).collect();
    if tags.len() > TAGS_MAX {
        return Err(invalid_parameter("A session can have at most 50 tags."));
    }
    Ok(SessionTags { tags, transitive_keys: keys })
}
