//! Lists roles by name.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListRoles;
use haechi_iam_model::shapes::{ListRolesRequest, ListRolesResponse, Role};

use crate::Iam;
use crate::authz::{Conditions, authorize};
use crate::entity::EntityKind;
use crate::listing::page;
use crate::store::{RoleRecord, account_scope, roles_path};

impl Handle<ListRoles> for Iam {
    async fn handle(&self, cx: &Cx, input: ListRolesRequest) -> Result<ListRolesResponse, Error> {
        let account = cx.account();
        let prefix = input.path_prefix.as_deref().unwrap_or("/");
        let resource = EntityKind::Role.arn(account, prefix, "");
        authorize(cx, &resource, &Conditions::default())?;
        let build = async {
            let rows = self.database.list_all::<RoleRecord>(&roles_path(account)).await?;
            let mut all: Vec<Role> = rows.iter().map(|row| row.value.listed(account)).collect();
            all.sort_by_cached_key(order);
            Ok(Some(all))
        };
        let all = self.database.derived(&account_scope(account), "roles", build).await?;
        let listed = all.iter().flat_map(|all| all.iter());
        let found = page(
            listed.filter(|one| one.path.starts_with(prefix)),
            |one| order(one),
            input.marker.as_deref(),
            input.max_items,
        )?;
        Ok(ListRolesResponse {
            roles: found.items.into_iter().cloned().collect(),
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}

fn order(one: &Role) -> String {
    one.role_name.to_lowercase()
}
