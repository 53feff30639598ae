//! Makes a user.

use std::collections::BTreeMap;

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::{CreateUser, TagUser};
use haechi_iam_model::shapes::{CreateUserRequest, CreateUserResponse};

use crate::attachment::put_use;
use crate::authz::{Conditions, authorize_creation};
use crate::entity::EntityKind;
use crate::store::{UserRecord, user_path};
use crate::user::{DEFAULT_PATH, new_id};
use crate::{Iam, tags};

impl Handle<CreateUser> for Iam {
    async fn handle(&self, cx: &Cx, input: CreateUserRequest) -> Result<CreateUserResponse, Error> {
        let (account, name) = (cx.account(), input.user_name);
        let path = input.path.unwrap_or_else(|| DEFAULT_PATH.to_owned());
        let new_tags = input.tags.unwrap_or_default();
        let arn = EntityKind::User.arn(account, &path, &name);
        EntityKind::User.note(cx, &arn);
        let tag_keys = tags::keys(&new_tags);
        let boundary = input.permissions_boundary;
        let asked = Conditions {
            request_tags: &new_tags,
            tag_keys: &tag_keys,
            boundary: boundary.as_deref(),
            ..Conditions::default()
        };
        authorize_creation::<TagUser>(cx, &arn, &asked)?;
        tags::check(&new_tags, tags::KeyCase::Ignored)?;
        let place = user_path(account, &name);
        if self.database.load::<UserRecord>(&place).await?.is_some() {
            return Err(EntityKind::User.exists(&name));
        }
        self.check_quota::<UserRecord>(account).await?;
        let record = UserRecord {
            name,
            path,
            id: new_id(&cx.env, "AIDA")?,
            created_ms: cx.now().millis(),
            tags: tags::merged(Vec::new(), &new_tags, tags::KeyCase::Ignored)?,
            policies: BTreeMap::new(),
            access_key_ids: Vec::new(),
            attached: Vec::new(),
            boundary,
            group_ids: Vec::new(),
            mfa_serials: Vec::new(),
            has_login: false,
            has_ssh_keys: false,
            has_certificates: false,
            has_service_credentials: false,
            unknown: Unknown::new(),
        };
        let mut batch = Batch::new();
        if let Some(arn) = &record.boundary {
            let policy = self.boundary(cx, arn).await?;
            put_use(&mut batch, account, &policy, &record, arn, true);
        }
        batch.create(place, &record);
        self.database.commit(batch).await?;
        self.counts.made::<UserRecord>(account);
        Ok(CreateUserResponse { user: Some(record.shown(account)) })
    }
}
