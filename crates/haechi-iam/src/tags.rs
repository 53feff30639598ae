//! Rules of tags ("Tags for IAM resources"): keys are compared without regard to case, and shown
//! as they were written.

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

/// Tags with others laid over them: `quota` is the name of the quota on their number. A tag replaces the one whose key differs only in case.
pub(crate) fn merged(
    mut existing: Vec<(String, String)>,
    tags: &[Tag],
    quota: &str,
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
        let message = format!("Cannot exceed quota for {quota}: {TAGS_MAX}");
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

/// A page of tags, by key.
pub(crate) fn listed(
    mut tags: Vec<(String, String)>,
    marker: Option<&str>,
    items_max: Option<i32>,
) -> Result<Page<Tag>, Error> {
    tags.sort_by_cached_key(|(key, _)| key.to_lowercase());
    let order = |tag: &(String, String)| tag.0.to_lowercase();
    let found = page(tags.into_iter(), order, marker, items_max)?;
    Ok(Page { items: shown_tags(&found.items), marker: found.marker })
}

impl Iam {
    /// Adds tags to a user or role, or changes them.
    pub(crate) async fn tag<E: Tagged>(
        &self,
        cx: &Cx,
        name: &str,
        tags: &[Tag],
    ) -> Result<Unit, Error> {
        let keys = keys(tags);
        let asked = Conditions { request_tags: tags, tag_keys: &keys, ..Conditions::default() };
        let entity = self.entity_with::<E>(cx, name, asked).await?;
        entity.value.check_modifiable()?;
        check(tags)?;
        let mut changed = entity.value.clone();
        let quota = format!("TagsPer{}", E::KIND.title());
        *changed.tags_mut() = merged(entity.value.tags().to_vec(), tags, &quota)?;
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
        entity.value.check_modifiable()?;
        let mut changed = entity.value.clone();
        *changed.tags_mut() = without(entity.value.tags().to_vec(), keys);
        let mut batch = Batch::new();
        batch.replace(&entity, &changed);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
