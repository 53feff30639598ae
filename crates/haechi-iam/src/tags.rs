//! Rules of tags ("Tags for IAM resources"): of users and roles, keys are compared without regard to
//! case, and shown as they were written; of everything else, case counts.

use haechi_core::{Batch, Cx};
use haechi_iam_model::Error;
use haechi_iam_model::shapes::Tag;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::authz::Conditions;
use crate::entity::Tagged;
use crate::listing::{Page, page};
use crate::user::shown_tags;

/// Tags on one user, role, policy or instance profile, at most.
const TAGS_MAX: usize = 50;

/// How keys are compared.
#[derive(Clone, Copy)]
pub(crate) enum KeyCase {
    /// Of users and roles.
    Ignored,
    /// Of what is neither.
    Counts,
}

impl KeyCase {
    /// What keys that are one have in common.
    fn folded(self, key: &str) -> String {
        match self {
            KeyCase::Ignored => key.to_lowercase(),
            KeyCase::Counts => key.to_owned(),
        }
    }

    /// The place of a key in a listing. Where case counts, AWS lists short keys first (LocalStack's
    /// `test_policy_tag_order`).
    fn order(self, key: &str) -> String {
        match self {
            KeyCase::Ignored => key.to_lowercase(),
            KeyCase::Counts => format!("{:03} {key}", key.len()),
        }
    }

    /// AWS's words for keys that occur twice.
    fn twice(self) -> &'static str {
        match self {
            KeyCase::Ignored => {
                "Duplicate tag keys found. Please note that Tag keys are case insensitive."
            }
            KeyCase::Counts => "Duplicate tag keys found.",
        }
    }
}

/// The keys of tags, for `aws:TagKeys`.
pub(crate) fn keys(tags: &[Tag]) -> Vec<String> {
    tags.iter().map(|tag| tag.key.clone()).collect()
}

/// Refuses keys that are AWS's own, and keys that occur twice.
pub(crate) fn check(tags: &[Tag], case: KeyCase) -> Result<(), Error> {
    if tags.iter().any(|tag| tag.key.to_lowercase().starts_with("aws:")) {
        let message = "Tag keys beginning with aws: are reserved for system use.";
        return Err(Error::InvalidInputException(message.to_owned()));
    }
    let folded: Vec<String> = tags.iter().map(|tag| case.folded(&tag.key)).collect();
    let twice = folded
        .iter()
        .enumerate()
        .any(|(at, key)| folded.iter().skip(at + 1).any(|other| other == key));
    if twice {
        return Err(Error::InvalidInputException(case.twice().to_owned()));
    }
    Ok(())
}

/// Tags with others laid over them: a tag replaces the one with the same key.
pub(crate) fn merged(
    mut existing: Vec<(String, String)>,
    tags: &[Tag],
    case: KeyCase,
) -> Result<Vec<(String, String)>, Error> {
    for tag in tags {
        let new = (tag.key.clone(), tag.value.clone());
        let folded = case.folded(&tag.key);
        match existing.iter_mut().find(|(key, _)| case.folded(key) == folded) {
            Some(old) => *old = new,
            None => existing.push(new),
        }
    }
    if existing.len() > TAGS_MAX {
        let message = "The number of tags has reached the maximum limit.";
        return Err(Error::LimitExceededException(message.to_owned()));
    }
    Ok(existing)
}

/// Tags without those of some keys.
pub(crate) fn without(
    mut existing: Vec<(String, String)>,
    keys: &[String],
    case: KeyCase,
) -> Vec<(String, String)> {
    let folded: Vec<String> = keys.iter().map(|key| case.folded(key)).collect();
    existing.retain(|(key, _)| !folded.contains(&case.folded(key)));
    existing
}

/// A page of tags, by key.
pub(crate) fn listed(
    mut tags: Vec<(String, String)>,
    case: KeyCase,
    marker: Option<&str>,
    items_max: Option<i32>,
) -> Result<Page<Tag>, Error> {
    let order = |tag: &(String, String)| case.order(&tag.0);
    tags.sort_by_cached_key(order);
    let found = page(tags.into_iter(), order, marker, items_max)?;
    Ok(Page { items: shown_tags(&found.items), marker: found.marker })
}

impl Iam {
    /// Adds tags to a user or role, or changes them; a service-linked role has tags of its account too.
    pub(crate) async fn tag<E: Tagged>(
        &self,
        cx: &Cx,
        name: &str,
        tags: &[Tag],
    ) -> Result<Unit, Error> {
        let keys = keys(tags);
        let asked = Conditions { request_tags: tags, tag_keys: &keys, ..Conditions::default() };
        let entity = self.entity_with::<E>(cx, name, asked).await?;
        if tags.is_empty() {
            // With the space at its end.
            let message = "Error occurred while validating input. ";
            return Err(Error::InvalidInputException(message.to_owned()));
        }
        check(tags, KeyCase::Ignored)?;
        let mut changed = entity.value.clone();
        let tags = merged(entity.value.tags().to_vec(), tags, KeyCase::Ignored)?;
        *changed.tags_mut() = tags;
        let mut batch = Batch::new();
        batch.replace(&entity, &changed);
        self.database.commit(batch).await?;
        Ok(Unit)
    }

    /// Takes tags from a user or role; keys that it does not have are no error.
    pub(crate) async fn untag<E: Tagged>(
        &self,
        cx: &Cx,
        name: &str,
        keys: &[String],
    ) -> Result<Unit, Error> {
        let asked = Conditions { tag_keys: keys, ..Conditions::default() };
        let entity = self.entity_with::<E>(cx, name, asked).await?;
        let mut changed = entity.value.clone();
        *changed.tags_mut() = without(entity.value.tags().to_vec(), keys, KeyCase::Ignored);
        let mut batch = Batch::new();
        batch.replace(&entity, &changed);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
