//! What users, groups and roles have in common: a name, inline policies, attached policies, tags.
//!
//! Operations on one of the three are written once, generic over [`Entity`].

use std::collections::BTreeMap;

use haechi_core::{AccountId, Cx, Path, Record, Resource};
use haechi_iam_model::Error;
use serde::{Deserialize, Serialize};

use crate::PARTITION;
use crate::role::parts;
use crate::store::{GroupRecord, RoleRecord, UserRecord, group_path, role_path, user_path};

/// Which of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum EntityKind {
    User,
    Group,
    Role,
}

impl EntityKind {
    /// As ARNs and messages say it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            EntityKind::User => "user",
            EntityKind::Group => "group",
            EntityKind::Role => "role",
        }
    }

    /// As it begins a sentence, and stands in names of quotas.
    pub(crate) fn title(self) -> &'static str {
        match self {
            EntityKind::User => "User",
            EntityKind::Group => "Group",
            EntityKind::Role => "Role",
        }
    }

    /// Characters of all inline policies together, white space not counted ("IAM and AWS STS
    /// quotas").
    pub(crate) fn inline_characters_max(self) -> usize {
        match self {
            EntityKind::User => 2048,
            EntityKind::Group => 5120,
            EntityKind::Role => 10_240,
        }
    }

    fn audit_type(self) -> &'static str {
        match self {
            EntityKind::User => "AWS::IAM::User",
            EntityKind::Group => "AWS::IAM::Group",
            EntityKind::Role => "AWS::IAM::Role",
        }
    }

    /// `arn:aws:iam::123456789012:role/path/name`.
    pub(crate) fn arn(self, account: &AccountId, path: &str, name: &str) -> String {
        format!("arn:{PARTITION}:iam::{account}:{}{path}{name}", self.word())
    }

    /// The account, kind and name of what an ARN names, whether it exists or not.
    pub(crate) fn of_arn(arn: &str) -> Result<(AccountId, EntityKind, &str), Error> {
        let kinds = [EntityKind::User, EntityKind::Group, EntityKind::Role];
        parts(arn)
            .filter(|(_, _, _, name)| !name.is_empty())
            .and_then(|(account, word, _, name)| {
                let kind = kinds.into_iter().find(|kind| kind.word() == word)?;
                Some((account, kind, name))
            })
            .ok_or_else(|| {
                Error::InvalidInputException(format!(
                    "Invalid Entity Arn: {arn} does not clearly define entity type and name."
                ))
            })
    }

    /// The error for one that is not there.
    pub(crate) fn not_found(self, name: &str) -> Error {
        let word = self.word();
        Error::NoSuchEntityException(format!("The {word} with name {name} cannot be found."))
    }

    /// The error for a name that is taken.
    pub(crate) fn exists(self, name: &str) -> Error {
        let title = self.title();
        Error::EntityAlreadyExistsException(format!("{title} with name {name} already exists."))
    }

    /// Notes one for the audit record.
    pub(crate) fn note(self, cx: &Cx, arn: &str) {
        let account = cx.account().to_string();
        cx.note(Resource { arn: arn.to_owned(), account, kind: self.audit_type() });
    }
}

/// A record of a user, group or role.
pub(crate) trait Entity: Record + Clone {
    const KIND: EntityKind;

    fn place(account: &AccountId, name: &str) -> Path;
    fn name(&self) -> &str;
    fn path(&self) -> &str;
    fn id(&self) -> &str;
    fn tags(&self) -> &[(String, String)];
    fn boundary(&self) -> Option<&str>;
    /// Inline policies as they were written, by name.
    fn policies(&self) -> &BTreeMap<String, String>;
    fn policies_mut(&mut self) -> &mut BTreeMap<String, String>;
    /// ARNs of attached policies, in the order of attachment.
    fn attached(&self) -> &[String];
    fn attached_mut(&mut self) -> &mut Vec<String>;

    fn arn(&self, account: &AccountId) -> String {
        Self::KIND.arn(account, self.path(), self.name())
    }

    /// Refuses what only AWS itself may change: service-linked roles, but for description and tags.
    fn check_modifiable(&self) -> Result<(), Error> {
        Ok(())
    }
}

macro_rules! entity {
    ($record:ty, $kind:ident, $place:ident, $tags:expr, $boundary:expr, { $($more:item)* }) => {
        impl Entity for $record {
            const KIND: EntityKind = EntityKind::$kind;

            fn place(account: &AccountId, name: &str) -> Path {
                $place(account, name)
            }
            fn name(&self) -> &str {
                &self.name
            }
            fn path(&self) -> &str {
                &self.path
            }
            fn id(&self) -> &str {
                &self.id
            }
            fn tags(&self) -> &[(String, String)] {
                let tags: fn(&Self) -> &[(String, String)] = $tags;
                tags(self)
            }
            fn boundary(&self) -> Option<&str> {
                let boundary: fn(&Self) -> Option<&str> = $boundary;
                boundary(self)
            }
            fn policies(&self) -> &BTreeMap<String, String> {
                &self.policies
            }
            fn policies_mut(&mut self) -> &mut BTreeMap<String, String> {
                &mut self.policies
            }
            fn attached(&self) -> &[String] {
                &self.attached
            }
            fn attached_mut(&mut self) -> &mut Vec<String> {
                &mut self.attached
            }
            $($more)*
        }
    };
}

entity!(UserRecord, User, user_path, |user| &user.tags, |user| user.boundary.as_deref(), {});
entity!(GroupRecord, Group, group_path, |_| &[], |_| None, {});
entity!(RoleRecord, Role, role_path, |role| &role.tags, |role| role.boundary.as_deref(), {
    fn check_modifiable(&self) -> Result<(), Error> {
        if self.service.is_none() {
            return Ok(());
        }
        let name = &self.name;
        Err(Error::UnmodifiableEntityException(format!(
            "Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS"
        )))
    }
});

/// Users and roles: what a permissions boundary can limit.
pub(crate) trait Bounded: Entity {
    fn boundary_mut(&mut self) -> &mut Option<String>;
}

impl Bounded for UserRecord {
    fn boundary_mut(&mut self) -> &mut Option<String> {
        &mut self.boundary
    }
}

impl Bounded for RoleRecord {
    fn boundary_mut(&mut self) -> &mut Option<String> {
        &mut self.boundary
    }
}

/// Users and roles again: what has tags by name.
pub(crate) trait Tagged: Entity {
    fn tags_mut(&mut self) -> &mut Vec<(String, String)>;
}

impl Tagged for UserRecord {
    fn tags_mut(&mut self) -> &mut Vec<(String, String)> {
        &mut self.tags
    }
}

impl Tagged for RoleRecord {
    fn tags_mut(&mut self) -> &mut Vec<(String, String)> {
        &mut self.tags
    }
}

/// Refuses to delete an entity on which policies hang.
pub(crate) fn check_bare<E: Entity>(entity: &E) -> Result<(), Error> {
    let conflict = |what: &str| {
        Err(Error::DeleteConflictException(format!("Cannot delete entity, must {what} first.")))
    };
    if !entity.attached().is_empty() {
        return conflict("detach all policies");
    }
    if !entity.policies().is_empty() {
        return conflict("delete policies");
    }
    Ok(())
}
