//! Renames a group or moves it to another path. Its unique id, policies and members stay.

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::UpdateGroup;
use haechi_iam_model::shapes::UpdateGroupRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::attachment::rename_uses;
use crate::authz::{Conditions, authorize};
use crate::entity::{Entity, EntityKind};
use crate::store::{GroupNameRecord, GroupRecord, group_name_path, group_path};

impl Handle<UpdateGroup> for Iam {
    async fn handle(&self, cx: &Cx, input: UpdateGroupRequest) -> Result<Unit, Error> {
        let account = cx.account();
        let old = self.entity::<GroupRecord>(cx, &input.group_name).await?;
        let name = input.new_group_name.unwrap_or_else(|| old.value.name.clone());
        let path = input.new_path.unwrap_or_else(|| old.value.path.clone());
        let new = GroupRecord { name, path, ..old.value.clone() };
        // AWS asks for the permission on both the old and the new name.
        let arn = new.arn(account);
        if arn != old.value.arn(account) {
            authorize(cx, &arn, &Conditions::default())?;
            EntityKind::Group.note(cx, &arn);
        }
        let mut batch = Batch::new();
        let place = group_path(account, &new.name);
        if place == group_path(account, &old.value.name) {
            batch.replace(&old, &new);
        } else if self.database.load::<GroupRecord>(&place).await?.is_some() {
            return Err(EntityKind::Group.exists(&new.name));
        } else {
            batch.remove(&old);
            batch.create(place, &new);
        }
        let named = GroupNameRecord { name: new.name.clone(), unknown: Unknown::new() };
        batch.put(group_name_path(account, &new.id), &named);
        rename_uses(&mut batch, account, &new);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
