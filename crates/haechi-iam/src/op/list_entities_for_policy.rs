//! Lists the users, groups and roles that a managed policy is attached to, or limits.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListEntitiesForPolicy;
use haechi_iam_model::shapes::{
    EntityType, ListEntitiesForPolicyRequest, ListEntitiesForPolicyResponse, PolicyGroup,
    PolicyRole, PolicyUsageType, PolicyUser,
};

use crate::Iam;
use crate::entity::EntityKind;
use crate::listing::page;
use crate::managed::not_attachable;
use crate::store::UseRecord;

impl Handle<ListEntitiesForPolicy> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListEntitiesForPolicyRequest,
    ) -> Result<ListEntitiesForPolicyResponse, Error> {
        self.managed(cx, &input.policy_arn).await.map_err(|error| match error {
            Error::NoSuchEntityException(_) => not_attachable(&input.policy_arn),
            other => other,
        })?;
        let prefix = input.path_prefix.as_deref().unwrap_or("/");
        let mut uses = self.uses(cx, &input.policy_arn).await?;
        uses.retain(|one| {
            let kind = match input.entity_filter {
                Some(EntityType::User) => one.kind == EntityKind::User,
                Some(EntityType::Group) => one.kind == EntityKind::Group,
                Some(EntityType::Role) => one.kind == EntityKind::Role,
                // Policies are attached to none.
                Some(EntityType::LocalManagedPolicy | EntityType::AWSManagedPolicy) => false,
                None => true,
            };
            let usage = match input.policy_usage_filter {
                Some(PolicyUsageType::PermissionsBoundary) => one.is_boundary,
                Some(PolicyUsageType::PermissionsPolicy) => !one.is_boundary,
                None => true,
            };
            kind && usage && one.path.starts_with(prefix)
        });
        uses.sort_by_cached_key(order);
        uses.dedup_by_key(|one| one.id.clone());
        let found = page(uses.into_iter(), order, input.marker.as_deref(), input.max_items)?;
        let of = |kind| found.items.iter().filter(move |one| one.kind == kind);
        let name = |one: &UseRecord| (Some(one.name.clone()), Some(one.id.clone()));
        let groups = of(EntityKind::Group).map(name);
        let users = of(EntityKind::User).map(name);
        let roles = of(EntityKind::Role).map(name);
        Ok(ListEntitiesForPolicyResponse {
            policy_groups: Some(
                groups.map(|(group_name, group_id)| PolicyGroup { group_name, group_id }).collect(),
            ),
            policy_users: Some(
                users.map(|(user_name, user_id)| PolicyUser { user_name, user_id }).collect(),
            ),
            policy_roles: Some(
                roles.map(|(role_name, role_id)| PolicyRole { role_name, role_id }).collect(),
            ),
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}

fn order(one: &UseRecord) -> String {
    format!("{} {} {}", one.kind.word(), one.name.to_lowercase(), one.id)
}
