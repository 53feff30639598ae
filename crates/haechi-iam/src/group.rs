//! Groups and who is in them.
//!
//! A user's record holds the ids of its groups, which a decision needs; a row under the group's
//! id (`MemberRecord`) lists its members. A group is rewritten with each new member, so that one
//! that is being deleted cannot be joined at the same time.

use haechi_core::{AccountId, Cx, Database, Loaded, Path};
use haechi_iam_model::Error;
use haechi_iam_model::shapes::Group;
use haechi_wire::{Fault, Timestamp};

use crate::Iam;
use crate::entity::{Entity, EntityKind};
use crate::store::{
    GroupNameRecord, GroupRecord, MemberRecord, UserRecord, group_name_path, group_path,
    members_path, user_path,
};

/// Groups of one user, at most (AWS's fixed quota).
pub(crate) const GROUPS_PER_USER_MAX: usize = 10;

/// Where a membership lies.
pub(crate) fn member_path(account: &AccountId, group_id: &str, user_id: &str) -> Path {
    members_path(account, group_id).part(user_id)
}

impl Iam {
    /// A group and a user, on which group the caller may do the operation. Of two that are missing,
    /// AWS names the user (LocalStack's `test_remove_user_from_unknown_group`).
    pub(crate) async fn group_and_user(
        &self,
        cx: &Cx,
        group_name: &str,
        user_name: &str,
    ) -> Result<(Loaded<GroupRecord>, Loaded<UserRecord>), Error> {
        let group = match self.entity::<GroupRecord>(cx, group_name).await {
            Err(missing @ Error::NoSuchEntityException(_)) => Err(missing),
            found => Ok(found?),
        };
        let user = self.database.load::<UserRecord>(&user_path(cx.account(), user_name)).await?;
        let user = user.ok_or_else(|| EntityKind::User.not_found(user_name))?;
        Ok((group?, user))
    }
}

impl GroupRecord {
    /// As answers show it.
    pub(crate) fn shown(&self, account: &AccountId) -> Group {
        Group {
            path: self.path.clone(),
            group_name: self.name.clone(),
            group_id: self.id.clone(),
            arn: self.arn(account),
            create_date: Timestamp::from_millis(self.created_ms),
        }
    }
}

/// The group with an id; `None` if it is being renamed or deleted at this moment.
async fn by_id(
    database: &Database,
    account: &AccountId,
    id: &str,
) -> Result<Option<GroupRecord>, Fault> {
    let name = database.load::<GroupNameRecord>(&group_name_path(account, id)).await?;
    let Some(name) = name else { return Ok(None) };
    let group = database.load::<GroupRecord>(&group_path(account, &name.value.name)).await?;
    Ok(group.map(|group| group.value).filter(|group| group.id == id))
}

/// The groups of a user. [`Fault::Conflict`] if one is renamed meanwhile: nothing that was built
/// from a part of the groups may count.
pub(crate) async fn of_user(
    database: &Database,
    account: &AccountId,
    user: &UserRecord,
) -> Result<Vec<GroupRecord>, Fault> {
    let mut groups = Vec::with_capacity(user.group_ids.len());
    for id in &user.group_ids {
        groups.push(by_id(database, account, id).await?.ok_or(Fault::Conflict)?);
    }
    Ok(groups)
}

impl Iam {
    /// The members of a group.
    pub(crate) async fn members(
        &self,
        cx: &Cx,
        group: &GroupRecord,
    ) -> Result<Vec<UserRecord>, Error> {
        let account = cx.account();
        let rows =
            self.database.list_all::<MemberRecord>(&members_path(account, &group.id)).await?;
        let mut users = Vec::with_capacity(rows.len());
        for row in rows {
            let place = UserRecord::place(account, &row.value.user.name);
            let user = self.database.load::<UserRecord>(&place).await?;
            // One that was renamed or deleted since the list was read is passed over.
            users.extend(user.map(|user| user.value).filter(|user| user.id == row.value.user.id));
        }
        users.sort_by_cached_key(|user| user.name.to_lowercase());
        Ok(users)
    }
}
