//! Deletes a group that is empty and that nothing hangs on any more.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::DeleteGroup;
use haechi_iam_model::shapes::DeleteGroupRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::entity::check_bare;
use crate::store::{GroupRecord, MemberRecord, group_name_path, members_path};

impl Handle<DeleteGroup> for Iam {
    async fn handle(&self, cx: &Cx, input: DeleteGroupRequest) -> Result<Unit, Error> {
        let account = cx.account();
        let group = self.entity::<GroupRecord>(cx, &input.group_name).await?;
        let members = members_path(account, &group.value.id);
        if !self.database.list::<MemberRecord>(&members, None, 1).await?.items.is_empty() {
            let message = "Cannot delete entity, must remove users from group first.";
            return Err(Error::DeleteConflictException(message.to_owned()));
        }
        check_bare(&group.value)?;
        let mut batch = Batch::new();
        batch.remove(&group);
        batch.delete(group_name_path(account, &group.value.id));
        self.database.commit(batch).await?;
        self.counts.deleted::<GroupRecord>(cx.account());
        Ok(Unit)
    }
}
