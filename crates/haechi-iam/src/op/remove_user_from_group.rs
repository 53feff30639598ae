//! Takes a user out of a group: the group's policies count for it no more from the next call on.
//! One that is not in it is no error (LocalStack's `test_user_group_membership`).

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::RemoveUserFromGroup;
use haechi_iam_model::shapes::RemoveUserFromGroupRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::group::member_path;

impl Handle<RemoveUserFromGroup> for Iam {
    async fn handle(&self, cx: &Cx, input: RemoveUserFromGroupRequest) -> Result<Unit, Error> {
        let account = cx.account();
        let (group, user) = self.group_and_user(cx, &input.group_name, &input.user_name).await?;
        let mut changed = user.value.clone();
        changed.group_ids.retain(|id| *id != group.value.id);
        if changed.group_ids.len() == user.value.group_ids.len() {
            return Ok(Unit);
        }
        let mut batch = Batch::new();
        batch.replace(&user, &changed);
        batch.delete(member_path(account, &group.value.id, &changed.id));
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
