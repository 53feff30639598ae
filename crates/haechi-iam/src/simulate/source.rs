//! The policies of a simulation, with their texts: answers tell where statements stand.

use std::sync::Arc;

use haechi_core::{AccountId, Cx};
use haechi_iam_model::Error;
use haechi_iam_model::shapes::{
    AttachmentType, PolicyIdentifier, PolicySourceType, Position, Statement,
};
use haechi_policy::{Document, Kind, statement_positions};
use haechi_wire::Fault;

use crate::entity::{Entity, EntityKind};
use crate::policy::parse_input;
use crate::store::{GroupRecord, RoleRecord, UserRecord};
use crate::{Iam, group, managed};

/// A policy of a simulation.
pub(crate) struct Source {
    pub(crate) document: Arc<Document>,
    text: String,
    /// `SourcePolicyId`.
    id: String,
    kind: PolicySourceType,
}

impl Source {
    fn new(text: &str, kind: Kind, id: String, told: PolicySourceType) -> Result<Source, Error> {
        let document = Arc::new(parse_input(text, kind)?.named(id.as_str()));
        Ok(Source { document, text: text.to_owned(), id, kind: told })
    }

    /// Policies as a request gives them in the list `list`.
    pub(crate) fn list(texts: &[String], kind: Kind, list: &str) -> Result<Vec<Source>, Error> {
        let numbered = texts.iter().zip(1_u32..);
        let one = |(text, number): (&String, u32)| {
            let id = format!("{list}.{number}");
            Source::new(text, kind, id, PolicySourceType::None).map_err(|error| match kind {
                Kind::Identity => {
                    let message = format!("Policy input list item {number} has invalid content");
                    Error::InvalidInputException(message)
                }
                // AWS's words for the other lists are not known.
                _ => error,
            })
        };
        numbered.map(one).collect()
    }

    /// The permissions boundary as a request gives it: a list of one.
    pub(crate) fn boundary(texts: Option<&[String]>) -> Result<Option<Source>, Error> {
        let texts = texts.unwrap_or_default();
        if texts.len() > 1 {
            let message = "The list of Permissions Boundary policies cannot exceed 1 items.";
            return Err(Error::InvalidInputException(message.to_owned()));
        }
        let list = "PermissionsBoundaryPolicyInputList";
        Ok(Source::list(texts, Kind::Boundary, list)?.into_iter().next())
    }

    /// The policy of the resource as a request gives it.
    pub(crate) fn resource(text: &str) -> Result<Source, Error> {
        let id = "ResourcePolicy".to_owned();
        Source::new(text, Kind::Resource, id, PolicySourceType::Resource)
    }

    /// A statement that applied, with its place in the text.
    pub(super) fn statement(&self, index: usize) -> Statement {
        let place = |position: haechi_policy::Position| Position {
            line: i32::try_from(position.line).ok(),
            column: i32::try_from(position.column).ok(),
        };
        let positions = statement_positions(&self.text);
        let found = positions.get(index).copied();
        Statement {
            source_policy_id: Some(self.id.clone()),
            source_policy_type: Some(self.kind),
            start_position: found.map(|(start, _)| place(start)),
            end_position: found.map(|(_, end)| place(end)),
        }
    }
}

/// The policies that a simulation is to leave out.
pub(crate) struct Excluded(pub(crate) Vec<PolicyIdentifier>);

impl Excluded {
    /// Whether a policy that has this ARN stays.
    fn keeps(&self, arn: &str) -> bool {
        !self.0.iter().any(|one| one.policy_arn.as_deref() == Some(arn))
    }

    /// Whether an inline policy stays.
    fn keeps_inline<E: Entity>(&self, entity: &E, name: &str) -> bool {
        let kind = match E::KIND {
            EntityKind::User => AttachmentType::User,
            EntityKind::Group => AttachmentType::Group,
            EntityKind::Role => AttachmentType::Role,
        };
        !self.0.iter().filter_map(|one| one.inline_policy_identifier.as_ref()).any(|one| {
            one.policy_name == name
                && one.attachment_type == kind
                && one.attachment_name.eq_ignore_ascii_case(entity.name())
        })
    }

    /// Without these, level by level.
    pub(crate) fn filter(&self, levels: Vec<Vec<Arc<Document>>>) -> Vec<Vec<Arc<Document>>> {
        let kept = |level: Vec<Arc<Document>>| {
            let stays = |one: &Arc<Document>| one.name().is_none_or(|arn| self.keeps(arn));
            level.into_iter().filter(stays).collect()
        };
        levels.into_iter().map(kept).collect()
    }
}

/// The policies, the permissions boundary and the unique id of a simulation's source.
pub(crate) struct Found {
    pub(crate) identity: Vec<Source>,
    pub(crate) boundary: Option<Source>,
    pub(crate) unique_id: String,
}

impl Iam {
    /// What a user, group or role brings into a simulation.
    pub(crate) async fn simulated(
        &self,
        cx: &Cx,
        arn: &str,
        excluded: &Excluded,
    ) -> Result<Found, Error> {
        let account = cx.account();
        let (owner, kind, name) = EntityKind::of_arn(arn)?;
        if owner != *account {
            return Err(kind.not_found(name));
        }
        match kind {
            EntityKind::User => {
                let user: UserRecord = self.holder(account, name).await?;
                let mut found = self.brought(account, &user, excluded).await?;
                for group in group::of_user(&self.database, account, &user).await? {
                    found.identity.extend(self.brought(account, &group, excluded).await?.identity);
                }
                Ok(found)
            }
            EntityKind::Group => {
                let group: GroupRecord = self.holder(account, name).await?;
                self.brought(account, &group, excluded).await
            }
            EntityKind::Role => {
                let role: RoleRecord = self.holder(account, name).await?;
                self.brought(account, &role, excluded).await
            }
        }
    }

    async fn holder<E: Entity>(&self, account: &AccountId, name: &str) -> Result<E, Error> {
        let found = self.database.load::<E>(&E::place(account, name)).await?;
        Ok(found.ok_or_else(|| E::KIND.not_found(name))?.value)
    }

    async fn brought<E: Entity>(
        &self,
        account: &AccountId,
        entity: &E,
        excluded: &Excluded,
    ) -> Result<Found, Error> {
        let told = match E::KIND {
            EntityKind::User => PolicySourceType::User,
            EntityKind::Group => PolicySourceType::Group,
            EntityKind::Role => PolicySourceType::Role,
        };
        let mut identity = Vec::new();
        for (name, text) in entity.policies() {
            if excluded.keeps_inline(entity, name) {
                let id = format!("{}_{}_{name}", E::KIND.word(), entity.name());
                identity.push(Source::new(text, Kind::Identity, id, told)?);
            }
        }
        for arn in entity.attached().iter().filter(|arn| excluded.keeps(arn)) {
            identity.push(self.managed_source(account, arn, Kind::Identity).await?);
        }
        let boundary = match entity.boundary().filter(|arn| excluded.keeps(arn)) {
            Some(arn) => Some(self.managed_source(account, arn, Kind::Boundary).await?),
            None => None,
        };
        Ok(Found { identity, boundary, unique_id: entity.id().to_owned() })
    }

    /// A managed policy, under its name.
    async fn managed_source(
        &self,
        account: &AccountId,
        arn: &str,
        kind: Kind,
    ) -> Result<Source, Error> {
        let managed = managed::find(&self.database, account, arn).await?.ok_or(Fault::Conflict)?;
        let told = if arn.starts_with("arn:aws:iam::aws:") {
            PolicySourceType::AwsManaged
        } else {
            PolicySourceType::UserManaged
        };
        let id = arn.rsplit('/').next().unwrap_or_default().to_owned();
        Source::new(managed.document().ok_or(Fault::Conflict)?, kind, id, told)
    }
}
