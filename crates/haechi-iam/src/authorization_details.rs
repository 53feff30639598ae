//! Everything that an account's decisions depend on, at once: `GetAccountAuthorizationDetails`.
//!
//! Users, groups, roles and policies are one list, in that order and by name, which is paged as
//! one and kept in memory until something in the account changes.

use std::collections::{BTreeMap, HashMap};

use haechi_core::AccountId;
use haechi_iam_model::shapes::{
    AttachedPolicy, EntityType, GroupDetail, InstanceProfile, ManagedPolicyDetail, PolicyDetail,
    RoleDetail, UserDetail,
};
use haechi_wire::{Fault, Timestamp};

use crate::attachment::{attached_policy, shown_boundary};
use crate::aws_managed;
use crate::entity::Entity;
use crate::managed::Managed;
use crate::policy::encoded;
use crate::store::{
    GroupRecord, PolicyRecord, ProfileRecord, RoleRecord, UseRecord, UserRecord, all_uses_path,
    groups_path, policies_path, profiles_path, roles_path, users_path,
};
use crate::user::shown_tags;
use crate::{Iam, profile};

/// One entry.
#[derive(Clone)]
pub(crate) enum Detail {
    User(Box<UserDetail>),
    Group(Box<GroupDetail>),
    Role(Box<RoleDetail>),
    Policy(Box<ManagedPolicyDetail>, EntityType),
}

impl Detail {
    /// What filters call it.
    pub(crate) fn kind(&self) -> EntityType {
        match self {
            Detail::User(_) => EntityType::User,
            Detail::Group(_) => EntityType::Group,
            Detail::Role(_) => EntityType::Role,
            Detail::Policy(_, kind) => *kind,
        }
    }

    /// Its place in the list.
    pub(crate) fn order(&self) -> String {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        match self {
            Detail::User(user) => format!("1 {}", text(&user.user_name).to_lowercase()),
            Detail::Group(group) => format!("2 {}", text(&group.group_name).to_lowercase()),
            Detail::Role(role) => format!("3 {}", text(&role.role_name).to_lowercase()),
            Detail::Policy(policy, _) => {
                let name = text(&policy.policy_name).to_lowercase();
                format!("4 {name} {}", text(&policy.arn))
            }
        }
    }
}

fn inline(policies: &BTreeMap<String, String>) -> Option<Vec<PolicyDetail>> {
    let shown = |(name, document): (&String, &String)| PolicyDetail {
        policy_name: Some(name.clone()),
        policy_document: Some(encoded(document)),
    };
    Some(policies.iter().map(shown).collect())
}

fn attached(arns: &[String]) -> Option<Vec<AttachedPolicy>> {
    Some(arns.iter().map(|arn| attached_policy(arn)).collect())
}

fn user_detail(
    account: &AccountId,
    user: &UserRecord,
    groups: &HashMap<String, String>,
) -> UserDetail {
    UserDetail {
        path: Some(user.path.clone()),
        user_name: Some(user.name.clone()),
        user_id: Some(user.id.clone()),
        arn: Some(user.arn(account)),
        create_date: Some(Timestamp::from_millis(user.created_ms)),
        // AWS leaves out the empty list of users alone (LocalStack's
        // `test_get_account_authorization_details_no_filter`).
        user_policy_list: inline(&user.policies).filter(|list| !list.is_empty()),
        group_list: Some(user.group_ids.iter().filter_map(|id| groups.get(id)).cloned().collect()),
        attached_managed_policies: attached(&user.attached),
        permissions_boundary: shown_boundary(user.boundary.as_deref()),
        tags: Some(shown_tags(&user.tags)),
    }
}

fn group_detail(account: &AccountId, group: &GroupRecord) -> GroupDetail {
    GroupDetail {
        path: Some(group.path.clone()),
        group_name: Some(group.name.clone()),
        group_id: Some(group.id.clone()),
        arn: Some(group.arn(account)),
        create_date: Some(Timestamp::from_millis(group.created_ms)),
        group_policy_list: inline(&group.policies),
        attached_managed_policies: attached(&group.attached),
    }
}

fn role_detail(
    account: &AccountId,
    role: &RoleRecord,
    profiles: Vec<InstanceProfile>,
) -> RoleDetail {
    RoleDetail {
        path: Some(role.path.clone()),
        role_name: Some(role.name.clone()),
        role_id: Some(role.id.clone()),
        arn: Some(role.arn(account)),
        create_date: Some(Timestamp::from_millis(role.created_ms)),
        assume_role_policy_document: Some(encoded(&role.trust)),
        instance_profile_list: Some(profiles),
        role_policy_list: inline(&role.policies),
        attached_managed_policies: attached(&role.attached),
        permissions_boundary: shown_boundary(role.boundary.as_deref()),
        tags: Some(shown_tags(&role.tags)),
        role_last_used: None,
    }
}

fn policy_detail(policy: &Managed, arn: String, uses: &[UseRecord]) -> ManagedPolicyDetail {
    // Without description, as listings show it.
    let shown = policy.listed(arn, uses);
    let versions = policy.versions();
    let ids = versions.iter().filter_map(|version| version.version_id.as_deref());
    ManagedPolicyDetail {
        policy_version_list: Some(ids.filter_map(|id| policy.version(id)).collect()),
        policy_name: shown.policy_name,
        policy_id: shown.policy_id,
        arn: shown.arn,
        path: shown.path,
        default_version_id: shown.default_version_id,
        attachment_count: shown.attachment_count,
        permissions_boundary_usage_count: shown.permissions_boundary_usage_count,
        is_attachable: shown.is_attachable,
        description: shown.description,
        create_date: shown.create_date,
        update_date: shown.update_date,
    }
}

impl Iam {
    /// Every entry of an account.
    pub(crate) async fn details(&self, account: &AccountId) -> Result<Vec<Detail>, Fault> {
        let groups = self.database.list_all::<GroupRecord>(&groups_path(account)).await?;
        let name = |group: &GroupRecord| (group.id.clone(), group.name.clone());
        let names: HashMap<_, _> = groups.iter().map(|row| name(&row.value)).collect();
        let users = self.database.list_all::<UserRecord>(&users_path(account)).await?;
        let users = users.iter().map(|row| user_detail(account, &row.value, &names));
        let mut details: Vec<Detail> = users.map(|one| Detail::User(Box::new(one))).collect();
        let groups = groups.iter().map(|row| group_detail(account, &row.value));
        details.extend(groups.map(|one| Detail::Group(Box::new(one))));
        self.role_details(account, &mut details).await?;
        self.policy_details(account, &mut details).await?;
        details.sort_by_cached_key(Detail::order);
        Ok(details)
    }

    async fn role_details(
        &self,
        account: &AccountId,
        details: &mut Vec<Detail>,
    ) -> Result<(), Fault> {
        let roles = self.database.list_all::<RoleRecord>(&roles_path(account)).await?;
        let rows = self.database.list_all::<ProfileRecord>(&profiles_path(account)).await?;
        for role in roles.iter().map(|row| &row.value) {
            let holds = |profile: &&ProfileRecord| profile.role.as_ref() == Some(&role.name);
            let profiles = rows.iter().map(|row| &row.value).filter(holds);
            let profiles = profiles.map(|one| profile::shown(account, one, Some(role)));
            let shown = role_detail(account, role, profiles.collect());
            details.push(Detail::Role(Box::new(shown)));
        }
        Ok(())
    }

    /// The account's policies, and those of AWS that are used.
    async fn policy_details(
        &self,
        account: &AccountId,
        details: &mut Vec<Detail>,
    ) -> Result<(), Fault> {
        let mut uses: HashMap<String, Vec<UseRecord>> = HashMap::new();
        for row in self.database.list_all::<UseRecord>(&all_uses_path(account)).await? {
            uses.entry(row.value.policy_arn.clone()).or_default().push(row.value);
        }
        for own in self.database.list_all::<PolicyRecord>(&policies_path(account)).await? {
            let arn = own.value.arn(account);
            let used = uses.get(&arn).map(Vec::as_slice).unwrap_or_default();
            let shown = policy_detail(&Managed::Own(Box::new(own)), arn.clone(), used);
            details.push(Detail::Policy(Box::new(shown), EntityType::LocalManagedPolicy));
        }
        for aws in aws_managed::all() {
            if let Some(used) = uses.get(&aws.arn) {
                let shown = policy_detail(&Managed::Aws(aws), aws.arn.clone(), used);
                details.push(Detail::Policy(Box::new(shown), EntityType::AWSManagedPolicy));
            }
        }
        Ok(())
    }
}
