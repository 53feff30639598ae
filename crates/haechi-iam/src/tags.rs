//! Rules of tags ("Tags for IAM resources"): keys are compared without regard to case, and shown
//! as they were written.

use haechi_iam_model::Error;
use haechi_iam_model::shapes::Tag;

/// Tags on one user, at most.
const TAGS_MAX: usize = 50;

/// The keys of tags, for `aws:TagKeys`.
pub(crate) fn keys(tags: &[Tag]) -> Vec<String> {
    tags.iter().map(|tag| tag.key.clone()).collect()
}

/// Refuses keys that are AWS's own, and keys that occur twice.
pub(crate) fn check(tags: &[Tag]) -> Result<(), Error> {
    let folded: Vec<String> = tags.iter().map(|tag| tag.key.to_lowercase()).collect();
    if folded.iter().any(|key| key.starts_with("aws:")) {
        let message = "Caller is an end user and not allowed to mutate system tags";
        return Err(Error::InvalidInputException(message.to_owned()));
    }
    let twice = folded
        .iter()
        .enumerate()
        .any(|(at, key)| folded.iter().skip(at + 1).any(|other| other == key));
    if twice {
        let message = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
        return Err(Error::InvalidInputException(message.to_owned()));
    }
    Ok(())
}

/// Tags with others laid over them: a tag replaces the one whose key differs only in case.
pub(crate) fn merged(
    mut existing: Vec<(String, String)>,
    tags: &[Tag],
) -> Result<Vec<(String, String)>, Error> {
    for tag in tags {
        let new = (tag.key.clone(), tag.value.clone());
        let folded = tag.key.to_lowercase();
        match existing.iter_mut().find(|(key, _)| key.to_lowercase() == folded) {
            Some(old) => *old = new,
            None => existing.push(new),
        }
    }
    if existing.len() > TAGS_MAX {
        let message = format!("Cannot exceed quota for TagsPerUser: {TAGS_MAX}");
        return Err(Error::LimitExceededException(message));
    }
    Ok(existing)
}

/// Tags without those of some keys.
pub(crate) fn without(
    mut existing: Vec<(String, String)>,
    keys: &[String],
) -> Vec<(String, String)> {
    let folded: Vec<String> = keys.iter().map(|key| key.to_lowercase()).collect();
    existing.retain(|(key, _)| !folded.contains(&key.to_lowercase()));
    existing
}
