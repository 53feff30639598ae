//! Inline policies of users, groups and roles.

use haechi_core::{Batch, Cx};
use haechi_iam_model::Error;
use haechi_policy::{Document, Kind};
use haechi_wire::shape::Unit;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::Iam;
use crate::entity::{Entity, EntityKind};
use crate::listing::{Page, page};

/// What RFC 3986 calls unreserved stays.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A policy document as answers carry it.
pub(crate) fn encoded(document: &str) -> String {
    utf8_percent_encode(document, RESERVED).to_string()
}

/// Characters that count against quotas: all but white space.
pub(crate) fn characters(document: &str) -> usize {
    document.chars().filter(|character| !character.is_whitespace()).count()
}

/// Refuses what is not a policy of this kind.
pub(crate) fn parse(document: &str, kind: Kind) -> Result<Document, Error> {
    Document::parse(document, kind)
        .map_err(|error| Error::MalformedPolicyDocumentException(error.to_string()))
}

/// The same of a policy that is only to be looked at: those operations know no error but this.
pub(crate) fn parse_input(document: &str, kind: Kind) -> Result<Document, Error> {
    Document::parse(document, kind).map_err(|error| Error::InvalidInputException(error.to_string()))
}

/// Refuses what is not an inline policy. What is stored was checked so: it is only parsed again.
fn check_inline(document: &str) -> Result<(), Error> {
    parse(document, Kind::Identity)?
        .require_plain_sids()
        .map_err(|error| Error::MalformedPolicyDocumentException(error.to_string()))
}

/// Refuses policies that are too long together.
fn check_size<E: Entity>(entity: &E) -> Result<(), Error> {
    let max = E::KIND.inline_characters_max();
    if entity.policies().values().map(|document| characters(document)).sum::<usize>() <= max {
        return Ok(());
    }
    let (word, name) = (E::KIND.word(), entity.name());
    Err(Error::LimitExceededException(format!(
        "Maximum policy size of {max} bytes exceeded for {word} {name}"
    )))
}

/// The error for a policy that is not there.
fn not_found(kind: EntityKind, name: &str) -> Error {
    let word = kind.word();
    Error::NoSuchEntityException(format!("The {word} policy with name {name} cannot be found."))
}

/// A name as the entity's policies have it: names are not distinguished by case. Where two
/// spellings lie from a time when they were, each means its own.
fn spelled<'a, E: Entity>(entity: &'a E, name: &str) -> Option<&'a String> {
    let exact = entity.policies().get_key_value(name).map(|(own, _)| own);
    exact.or_else(|| entity.policies().keys().find(|own| own.eq_ignore_ascii_case(name)))
}

/// An inline policy as it is shown.
pub(crate) struct Shown {
    /// As the entity's name is written.
    pub(crate) entity: String,
    /// URL-encoded.
    pub(crate) document: String,
}

impl Iam {
    /// Writes an inline policy. It counts from the next call on.
    pub(crate) async fn put_inline<E: Entity>(
        &self,
        cx: &Cx,
        entity: &str,
        name: String,
        document: String,
    ) -> Result<Unit, Error> {
        let loaded = self.entity::<E>(cx, entity).await?;
        loaded.value.check_modifiable()?;
        check_inline(&document)?;
        let mut changed = loaded.value.clone();
        let name = spelled(&loaded.value, &name).cloned().unwrap_or(name);
        changed.policies_mut().insert(name, document);
        check_size(&changed)?;
        let mut batch = Batch::new();
        batch.replace(&loaded, &changed);
        self.database.commit(batch).await?;
        Ok(Unit)
    }

    /// Shows an inline policy as it was written.
    pub(crate) async fn inline<E: Entity>(
        &self,
        cx: &Cx,
        entity: &str,
        name: &str,
    ) -> Result<Shown, Error> {
        let entity = self.entity::<E>(cx, entity).await?.value;
        let document = spelled(&entity, name).and_then(|name| entity.policies().get(name));
        let document = document.ok_or_else(|| not_found(E::KIND, name))?;
        Ok(Shown { document: encoded(document), entity: entity.name().to_owned() })
    }

    /// Lists the names of inline policies.
    pub(crate) async fn inline_names<E: Entity>(
        &self,
        cx: &Cx,
        entity: &str,
        marker: Option<&str>,
        items_max: Option<i32>,
    ) -> Result<Page<String>, Error> {
        let entity = self.entity::<E>(cx, entity).await?.value;
        page(entity.policies().keys().cloned(), String::clone, marker, items_max)
    }

    /// Deletes an inline policy. It counts no more from the next call on.
    pub(crate) async fn delete_inline<E: Entity>(
        &self,
        cx: &Cx,
        entity: &str,
        name: &str,
    ) -> Result<Unit, Error> {
        let loaded = self.entity::<E>(cx, entity).await?;
        loaded.value.check_modifiable()?;
        let own = spelled(&loaded.value, name).ok_or_else(|| not_found(E::KIND, name))?;
        let mut changed = loaded.value.clone();
        changed.policies_mut().remove(own);
        let mut batch = Batch::new();
        batch.replace(&loaded, &changed);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use haechi_core::database::Unknown;

    use super::*;
    use crate::store::GroupRecord;

    #[test]
    fn of_two_spellings_from_before_each_means_its_own() {
        let policies = ["Name", "name"].map(|name| (name.to_owned(), String::new()));
        let group = GroupRecord {
            name: "g".to_owned(),
            path: "/".to_owned(),
            id: "AGPA".to_owned(),
            created_ms: 0,
            policies: BTreeMap::from(policies),
            attached: Vec::new(),
            unknown: Unknown::new(),
        };
        let meant = |name: &str| spelled(&group, name).map(String::as_str);
        assert_eq!((meant("Name"), meant("name")), (Some("Name"), Some("name")));
        assert_eq!((meant("NAME"), meant("other")), (Some("Name"), None));
    }
}
