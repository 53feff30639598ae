//! Instance profiles: a role under a name that a machine is given.

use haechi_core::{AccountId, Cx, Loaded, Resource};
use haechi_iam_model::Error;
use haechi_iam_model::shapes::InstanceProfile;
use haechi_wire::{Fault, Timestamp};

use crate::authz::{Conditions, authorize_named};
use crate::store::{ProfileRecord, RoleRecord, profile_path, role_path};
use crate::user::{DEFAULT_PATH, shown_tags};
use crate::{Iam, PARTITION};

/// `arn:aws:iam::123456789012:instance-profile/path/name`.
pub(crate) fn arn(account: &AccountId, path: &str, name: &str) -> String {
    format!("arn:{PARTITION}:iam::{account}:instance-profile{path}{name}")
}

/// The error for one that is not there.
fn not_found(name: &str) -> Error {
    Error::NoSuchEntityException(format!("Instance Profile {name} cannot be found."))
}

/// Notes one for the audit record.
pub(crate) fn note(cx: &Cx, arn: &str) {
    let account = cx.account().to_string();
    cx.note(Resource { arn: arn.to_owned(), account, kind: "AWS::IAM::InstanceProfile" });
}

/// A profile with its role, as answers show it, without tags.
pub(crate) fn shown(
    account: &AccountId,
    profile: &ProfileRecord,
    role: Option<&RoleRecord>,
) -> InstanceProfile {
    InstanceProfile {
        path: profile.path.clone(),
        instance_profile_name: profile.name.clone(),
        instance_profile_id: profile.id.clone(),
        arn: profile.arn(account),
        create_date: Timestamp::from_millis(profile.created_ms),
        roles: role.iter().map(|role| role.frame(account)).collect(),
        tags: None,
    }
}

impl ProfileRecord {
    pub(crate) fn arn(&self, account: &AccountId) -> String {
        arn(account, &self.path, &self.name)
    }
}

impl Iam {
    /// An instance profile, on which the caller may do the operation.
    pub(crate) async fn profile(
        &self,
        cx: &Cx,
        name: &str,
        asked: Conditions<'_>,
    ) -> Result<Loaded<ProfileRecord>, Error> {
        let (account, shown) = (cx.account(), format!("instance profile {name}"));
        let Some(found) = self.database.load::<ProfileRecord>(&profile_path(account, name)).await?
        else {
            authorize_named(cx, (&arn(account, DEFAULT_PATH, name), &shown), &asked)?;
            return Err(not_found(name));
        };
        let arn = found.value.arn(account);
        note(cx, &arn);
        let resource_tags = &found.value.tags;
        authorize_named(cx, (&arn, &shown), &Conditions { resource_tags, ..asked })?;
        Ok(found)
    }

    /// A profile as answers show it, with its role and, where it is shown alone, its tags.
    pub(crate) async fn shown_profile(
        &self,
        cx: &Cx,
        profile: &ProfileRecord,
        with_tags: bool,
    ) -> Result<InstanceProfile, Fault> {
        let account = cx.account();
        let role = match &profile.role {
            Some(name) => self.database.load::<RoleRecord>(&role_path(account, name)).await?,
            None => None,
        };
        let tags = with_tags.then(|| shown_tags(&profile.tags));
        Ok(InstanceProfile {
            tags,
            ..shown(account, profile, role.as_ref().map(|role| &role.value))
        })
    }
}
