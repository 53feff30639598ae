//! Shows a group and who is in it.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::GetGroup;
use haechi_iam_model::shapes::{GetGroupRequest, GetGroupResponse, User};

use crate::Iam;
use crate::listing::page;
use crate::store::GroupRecord;

impl Handle<GetGroup> for Iam {
    async fn handle(&self, cx: &Cx, input: GetGroupRequest) -> Result<GetGroupResponse, Error> {
        let account = cx.account();
        let group = self.entity::<GroupRecord>(cx, &input.group_name).await?.value;
        let users = self.members(cx, &group).await?;
        let listed = users.iter().map(|user| user.listed(account));
        let order = |user: &User| user.user_name.to_lowercase();
        let found = page(listed, order, input.marker.as_deref(), input.max_items)?;
        Ok(GetGroupResponse {
            group: group.shown(account),
            users: found.items,
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}
