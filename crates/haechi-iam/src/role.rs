//! Roles as AWS shows them, and their trust policies.

use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{AccountId, PrincipalIds, Principals};
use haechi_iam_model::Error;
use haechi_iam_model::shapes::{Role, RoleLastUsed};
use haechi_policy::{Document, Kind};
use haechi_wire::{Fault, Timestamp};

use crate::Iam;
use crate::attachment::shown_boundary;
use crate::entity::Entity;
use crate::policy::{characters, encoded, parse};
use crate::store::{RoleRecord, UserRecord, role_path, user_path};
use crate::user::shown_tags;

/// The longest session where a role does not say otherwise, in seconds.
pub(crate) const SESSION_SECONDS_DEFAULT: i32 = 3600;

/// Characters of a trust policy, white space not counted (AWS's default quota).
const TRUST_CHARACTERS_MAX: usize = 2048;

impl RoleRecord {
    /// As answers to creations show it: without description, whatever was given (LocalStack's
    /// `test_role_permissions_boundary_lifecycle`).
    pub(crate) fn created(&self, account: &AccountId) -> Role {
        let tags = (!self.tags.is_empty()).then(|| shown_tags(&self.tags));
        Role {
            max_session_duration: self.longer(),
            permissions_boundary: shown_boundary(self.boundary.as_deref()),
            tags,
            ..self.frame(account)
        }
    }

    /// As the answer to `UpdateRoleDescription` shows it.
    pub(crate) fn described(&self, account: &AccountId) -> Role {
        Role { description: self.description.clone(), ..self.frame(account) }
    }

    /// As listings show it: without tags and boundary.
    pub(crate) fn listed(&self, account: &AccountId) -> Role {
        let max_session_duration = Some(self.session_seconds_max);
        Role { max_session_duration, ..self.described(account) }
    }

    /// As it is shown alone.
    pub(crate) fn shown(&self, account: &AccountId) -> Role {
        Role {
            description: self.description.clone(),
            max_session_duration: Some(self.session_seconds_max),
            role_last_used: Some(RoleLastUsed::default()),
            ..self.created(account)
        }
    }

    /// The duration where it was given: AWS's answer to a creation shows no default.
    fn longer(&self) -> Option<i32> {
        Some(self.session_seconds_max).filter(|seconds| *seconds != SESSION_SECONDS_DEFAULT)
    }

    /// As instance profiles show it (LocalStack's `test_list_instance_profiles`).
    pub(crate) fn frame(&self, account: &AccountId) -> Role {
        Role {
            path: self.path.clone(),
            role_name: self.name.clone(),
            role_id: self.id.clone(),
            arn: self.arn(account),
            create_date: Timestamp::from_millis(self.created_ms),
            assume_role_policy_document: Some(encoded(&self.trust)),
            ..Role::default()
        }
    }

    /// The trust policy, compiled: it means the users and roles that had these ARNs when it was
    /// written, and none that were made anew under their names.
    ///
    /// # Errors
    /// If the record is damaged.
    pub(crate) fn trust_document(&self) -> Result<Arc<Document>, Fault> {
        let mut document = Document::parse(&self.trust, Kind::Trust).map_err(Fault::internal)?;
        self.trust_principals.bind(&mut document);
        Ok(Arc::new(document))
    }
}

/// The account, kind, path and name in the ARN of a user, group or role.
pub(crate) fn parts(arn: &str) -> Option<(AccountId, &str, &str, &str)> {
    let (account, resource) = arn.strip_prefix("arn:aws:iam::")?.split_once(':')?;
    let (kind, rest) = resource.split_at_checked(resource.find('/')?)?;
    let (path, name) = rest.split_at_checked(rest.rfind('/')? + 1)?;
    Some((AccountId::parse(account)?, kind, path, name))
}

impl Iam {
    /// The role with this ARN, whatever its account.
    pub(crate) async fn role_by_arn(
        &self,
        arn: &str,
    ) -> Result<Option<(AccountId, RoleRecord)>, Fault> {
        let Some((account, "role", path, name)) = parts(arn) else { return Ok(None) };
        let found = self.database.load::<RoleRecord>(&role_path(&account, name)).await?;
        let found = found.map(|role| role.value);
        let found = found.filter(|role| role.path == path && role.name == name);
        Ok(found.map(|role| (account, role)))
    }

    /// Refuses what is no trust policy, and one that names users or roles that do not exist; the
    /// unique ids of those that it names.
    pub(crate) async fn check_trust(&self, text: &str) -> Result<PrincipalIds, Error> {
        let document = parse(text, Kind::Trust)?;
        document
            .require_known_services()
            .and_then(|()| document.require_federated_providers())
            .map_err(|error| Error::MalformedPolicyDocumentException(error.to_string()))?;
        if characters(text) > TRUST_CHARACTERS_MAX {
            let message = format!("Cannot exceed quota for ACLSizePerRole: {TRUST_CHARACTERS_MAX}");
            return Err(Error::LimitExceededException(message));
        }
        let missing = |arn: &str| {
            let message = format!("Invalid principal in policy: \"AWS\":\"{arn}\"");
            Error::MalformedPolicyDocumentException(message)
        };
        PrincipalIds::of_all(self, &document, missing).await
    }
}

#[async_trait]
impl Principals for Iam {
    async fn unique_id(&self, arn: &str) -> Result<Option<String>, Fault> {
        if let Some((_, role)) = self.role_by_arn(arn).await? {
            return Ok(Some(role.id));
        }
        let Some((account, "user", path, name)) = parts(arn) else { return Ok(None) };
        let user = self.database.load::<UserRecord>(&user_path(&account, name)).await?;
        let user = user.map(|user| user.value);
        Ok(user.filter(|user| user.path == path && user.name == name).map(|user| user.id))
    }
}
