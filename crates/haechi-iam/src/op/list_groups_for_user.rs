//! Lists the groups of a user, by name.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListGroupsForUser;
use haechi_iam_model::shapes::{Group, ListGroupsForUserRequest, ListGroupsForUserResponse};

use crate::Iam;
use crate::group;
use crate::listing::page;

impl Handle<ListGroupsForUser> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListGroupsForUserRequest,
    ) -> Result<ListGroupsForUserResponse, Error> {
        let account = cx.account();
        let user = self.user(cx, &input.user_name).await?.value;
        let groups = group::of_user(&self.database, account, &user).await?;
        let mut groups: Vec<Group> = groups.iter().map(|group| group.shown(account)).collect();
        let order = |group: &Group| group.group_name.to_lowercase();
        groups.sort_by_cached_key(order);
        let found = page(groups.into_iter(), order, input.marker.as_deref(), input.max_items)?;
        Ok(ListGroupsForUserResponse {
            groups: found.items,
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}
