//! Takes a user out of a group: the group's policies count for it no more from the next call on.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::RemoveUserFromGroup;
use haechi_iam_model::shapes::RemoveUserFromGroupRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::entity::EntityKind;
use crate::group::member_path;
use crate::store::{GroupRecord, UserRecord, user_path};

impl Handle<RemoveUserFromGroup> for Iam {
    async fn handle(&self, cx: &Cx, input: RemoveUserFromGroupRequest) -> Result<Unit, Error> {
        let account = cx.account();
        let group = self.entity::<GroupRecord>(cx, &input.group_name).await?;
        let user = self.database.load::<UserRecord>(&user_path(account, &input.user_name)).await?;
        let user = user.ok_or_else(|| EntityKind::User.not_found(&input.user_name))?;
        let mut changed = user.value.clone();
        changed.group_ids.retain(|id| *id != group.value.id);
        if changed.group_ids.len() == user.value.group_ids.len() {
            return Err(EntityKind::User.not_found(&input.user_name));
        }
        let mut batch = Batch::new();
        batch.replace(&user, &changed);
        batch.delete(member_path(account, &group.value.id, &changed.id));
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
