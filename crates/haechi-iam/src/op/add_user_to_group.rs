//! Puts a user into a group: the group's policies count for it from the next call on.

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::AddUserToGroup;
use haechi_iam_model::shapes::AddUserToGroupRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::group::{GROUPS_PER_USER_MAX, member_path};
use crate::store::{MemberRecord, UserReference};

impl Handle<AddUserToGroup> for Iam {
    async fn handle(&self, cx: &Cx, input: AddUserToGroupRequest) -> Result<Unit, Error> {
        let account = cx.account();
        let (group, user) = self.group_and_user(cx, &input.group_name, &input.user_name).await?;
        if user.value.group_ids.contains(&group.value.id) {
            return Ok(Unit);
        }
        if user.value.group_ids.len() >= GROUPS_PER_USER_MAX {
            let message = format!("Cannot exceed quota for GroupsPerUser: {GROUPS_PER_USER_MAX}");
            return Err(Error::LimitExceededException(message));
        }
        let mut changed = user.value.clone();
        changed.group_ids.push(group.value.id.clone());
        let reference = UserReference { name: changed.name.clone(), id: changed.id.clone() };
        let member = MemberRecord { user: reference, unknown: Unknown::new() };
        let mut batch = Batch::new();
        batch.replace(&user, &changed);
        batch.replace(&group, &group.value);
        batch.put(member_path(account, &group.value.id, &changed.id), &member);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
