//! Lists users by name. On disk they lie under pseudonyms, in no order, so the sorted list is
//! kept in memory until something in the account changes.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListUsers;
use haechi_iam_model::shapes::{ListUsersRequest, ListUsersResponse, User};

use crate::Iam;
use crate::authz::{Conditions, authorize};
use crate::entity::EntityKind;
use crate::listing::page;
use crate::store::{UserRecord, account_scope, users_path};

impl Handle<ListUsers> for Iam {
    async fn handle(&self, cx: &Cx, input: ListUsersRequest) -> Result<ListUsersResponse, Error> {
        let account = cx.account();
        let prefix = input.path_prefix.as_deref().unwrap_or("/");
        authorize(cx, &EntityKind::User.arn(account, prefix, ""), &Conditions::default())?;
        let build = async {
            let rows = self.database.list_all::<UserRecord>(&users_path(account)).await?;
            let mut users: Vec<User> = rows.iter().map(|row| row.value.listed(account)).collect();
            users.sort_by_cached_key(order);
            Ok(Some(users))
        };
        let users = self.database.derived(&account_scope(account), "users", build).await?;
        let users = users.iter().flat_map(|users| users.iter());
        let found = page(
            users.filter(|user| user.path.starts_with(prefix)),
            |user| order(user),
            input.marker.as_deref(),
            input.max_items,
        )?;
        Ok(ListUsersResponse {
            users: found.items.into_iter().cloned().collect(),
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}

fn order(user: &User) -> String {
    user.user_name.to_lowercase()
}
