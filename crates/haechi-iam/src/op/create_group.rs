//! Makes a group.

use std::collections::BTreeMap;

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::CreateGroup;
use haechi_iam_model::shapes::{CreateGroupRequest, CreateGroupResponse};

use crate::Iam;
use crate::authz::{Conditions, authorize};
use crate::entity::EntityKind;
use crate::store::{GroupNameRecord, GroupRecord, group_name_path, group_path};
use crate::user::{DEFAULT_PATH, new_id};

impl Handle<CreateGroup> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: CreateGroupRequest,
    ) -> Result<CreateGroupResponse, Error> {
        let (account, name) = (cx.account(), input.group_name);
        let path = input.path.unwrap_or_else(|| DEFAULT_PATH.to_owned());
        let arn = EntityKind::Group.arn(account, &path, &name);
        EntityKind::Group.note(cx, &arn);
        authorize(cx, &arn, &Conditions::default())?;
        let place = group_path(account, &name);
        if self.database.load::<GroupRecord>(&place).await?.is_some() {
            return Err(EntityKind::Group.exists(&name));
        }
        self.check_quota::<GroupRecord>(account).await?;
        let record = GroupRecord {
            name,
            path,
            id: new_id(&cx.env, "AGPA")?,
            created_ms: cx.now().millis(),
            policies: BTreeMap::new(),
            attached: Vec::new(),
            unknown: Unknown::new(),
        };
        let named = GroupNameRecord { name: record.name.clone(), unknown: Unknown::new() };
        let mut batch = Batch::new();
        batch.create(place, &record);
        batch.create(group_name_path(account, &record.id), &named);
        self.database.commit(batch).await?;
        self.counts.made::<GroupRecord>(account);
        Ok(CreateGroupResponse { group: record.shown(account) })
    }
}
