//! Lists groups by name.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListGroups;
use haechi_iam_model::shapes::{Group, ListGroupsRequest, ListGroupsResponse};

use crate::Iam;
use crate::authz::{Conditions, authorize};
use crate::entity::EntityKind;
use crate::listing::page;
use crate::store::{GroupRecord, account_scope, groups_path};

impl Handle<ListGroups> for Iam {
    async fn handle(&self, cx: &Cx, input: ListGroupsRequest) -> Result<ListGroupsResponse, Error> {
        let account = cx.account();
        let prefix = input.path_prefix.as_deref().unwrap_or("/");
        let resource = EntityKind::Group.arn(account, prefix, "");
        authorize(cx, &resource, &Conditions::default())?;
        let build = async {
            let rows = self.database.list_all::<GroupRecord>(&groups_path(account)).await?;
            let mut all: Vec<Group> = rows.iter().map(|row| row.value.shown(account)).collect();
            all.sort_by_cached_key(order);
            Ok(Some(all))
        };
        let all = self.database.derived(&account_scope(account), "groups", build).await?;
        let listed = all.iter().flat_map(|all| all.iter());
        let found = page(
            listed.filter(|one| one.path.starts_with(prefix)),
            |one| order(one),
            input.marker.as_deref(),
            input.max_items,
        )?;
        Ok(ListGroupsResponse {
            groups: found.items.into_iter().cloned().collect(),
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}

fn order(one: &Group) -> String {
    one.group_name.to_lowercase()
}
