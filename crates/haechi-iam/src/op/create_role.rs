//! Makes a role.

use std::collections::BTreeMap;

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::{CreateRole, TagRole};
use haechi_iam_model::shapes::{CreateRoleRequest, CreateRoleResponse};

use crate::Iam;
use crate::attachment::put_use;
use crate::authz::{Conditions, authorize_creation};
use crate::entity::EntityKind;
use crate::role::SESSION_SECONDS_DEFAULT;
use crate::store::{RoleRecord, role_path};
use crate::tags;
use crate::user::{DEFAULT_PATH, new_id};

impl Handle<CreateRole> for Iam {
    async fn handle(&self, cx: &Cx, input: CreateRoleRequest) -> Result<CreateRoleResponse, Error> {
        let (account, name) = (cx.account(), input.role_name);
        let path = input.path.unwrap_or_else(|| DEFAULT_PATH.to_owned());
        let new_tags = input.tags.unwrap_or_default();
        let boundary = input.permissions_boundary;
        let arn = EntityKind::Role.arn(account, &path, &name);
        EntityKind::Role.note(cx, &arn);
        let keys = tags::keys(&new_tags);
        let asked = Conditions {
            request_tags: &new_tags,
            tag_keys: &keys,
            boundary: boundary.as_deref(),
            ..Conditions::default()
        };
        authorize_creation::<TagRole>(cx, &arn, &asked)?;
        tags::check(&new_tags, tags::KeyCase::Ignored)?;
        if path.starts_with("/aws-service-role/") {
            let message = "Service-linked roles are made by CreateServiceLinkedRole alone.";
            return Err(Error::InvalidInputException(message.to_owned()));
        }
        let trust_principals = self.check_trust(&input.assume_role_policy_document).await?;
        let place = role_path(account, &name);
        if self.database.load::<RoleRecord>(&place).await?.is_some() {
            return Err(EntityKind::Role.exists(&name));
        }
        self.check_quota::<RoleRecord>(account).await?;
        let record = RoleRecord {
            name,
            path,
            id: new_id(&cx.env, "AROA")?,
            created_ms: cx.now().millis(),
            description: input.description,
            session_seconds_max: input.max_session_duration.unwrap_or(SESSION_SECONDS_DEFAULT),
            trust: input.assume_role_policy_document,
            trust_principals,
            tags: tags::merged(Vec::new(), &new_tags, tags::KeyCase::Ignored)?,
            policies: BTreeMap::new(),
            attached: Vec::new(),
            boundary,
            profiles: Vec::new(),
            service: None,
            unknown: Unknown::new(),
        };
        let mut batch = Batch::new();
        if let Some(arn) = &record.boundary {
            let policy = self.boundary(cx, arn).await?;
            put_use(&mut batch, account, &policy, &record, arn, true);
        }
        batch.create(place, &record);
        self.database.commit(batch).await?;
        self.counts.made::<RoleRecord>(account);
        Ok(CreateRoleResponse { role: record.created(account) })
    }
}
