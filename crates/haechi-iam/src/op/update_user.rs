//! Renames a user or moves it to another path. Its unique id, keys, policies and tags stay.

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle, Loaded};
use haechi_iam_model::Error;
use haechi_iam_model::ops::UpdateUser;
use haechi_iam_model::shapes::UpdateUserRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::attachment::rename_uses;
use crate::authz::{Conditions, authorize};
use crate::entity::{Entity, EntityKind};
use crate::group::member_path;
use crate::store::{
    AccessKeyRecord, MemberRecord, MfaRecord, UserRecord, UserReference, key_path, user_path,
};

impl Handle<UpdateUser> for Iam {
    async fn handle(&self, cx: &Cx, input: UpdateUserRequest) -> Result<Unit, Error> {
        let account = cx.account();
        let old = self.user(cx, &input.user_name).await?;
        let name = input.new_user_name.unwrap_or_else(|| old.value.name.clone());
        let path = input.new_path.unwrap_or_else(|| old.value.path.clone());
        let new = UserRecord { name, path, ..old.value.clone() };
        // AWS asks for the permission on both the old and the new name.
        let arn = new.arn(account);
        if arn != old.value.arn(account) {
            let context = Conditions { resource_tags: &new.tags, ..Conditions::default() };
            authorize(cx, &arn, &context)?;
            EntityKind::User.note(cx, &arn);
        }
        let mut batch = Batch::new();
        let place = user_path(account, &new.name);
        if place == user_path(account, &old.value.name) {
            batch.replace(&old, &new);
        } else if self.database.load::<UserRecord>(&place).await?.is_some() {
            return Err(EntityKind::User.exists(&new.name));
        } else {
            batch.remove(&old);
            batch.create(place, &new);
        }
        self.rename_in_keys(cx, &mut batch, &new).await?;
        self.rename_in_devices(cx, &mut batch, &new).await?;
        rename_uses(&mut batch, account, &new);
        for group_id in &new.group_ids {
            let user = UserReference { name: new.name.clone(), id: new.id.clone() };
            let member = MemberRecord { user, unknown: Unknown::new() };
            batch.put(member_path(account, group_id, &new.id), &member);
        }
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}

impl Iam {
    async fn rename_in_keys(
        &self,
        cx: &Cx,
        batch: &mut Batch,
        user: &UserRecord,
    ) -> Result<(), Error> {
        for id in &user.access_key_ids {
            let path = key_path(cx.account(), id);
            let key: Option<Loaded<AccessKeyRecord>> = self.database.load(&path).await?;
            if let Some(key) = key {
                let owner = UserReference { name: user.name.clone(), id: user.id.clone() };
                batch.replace(&key, &AccessKeyRecord { user: Some(owner), ..key.value.clone() });
            }
        }
        Ok(())
    }

    async fn rename_in_devices(
        &self,
        cx: &Cx,
        batch: &mut Batch,
        user: &UserRecord,
    ) -> Result<(), Error> {
        for serial in &user.mfa_serials {
            if let Some(device) = self.find_by_arn::<MfaRecord>(cx.account(), serial).await? {
                let owner = UserReference { name: user.name.clone(), id: user.id.clone() };
                batch.replace(&device, &MfaRecord { user: Some(owner), ..device.value.clone() });
            }
        }
        Ok(())
    }
}
