//! Makes a user. Permissions boundaries are managed policies, which are not done yet.

use std::collections::BTreeMap;

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::CreateUser;
use haechi_iam_model::shapes::{CreateUserRequest, CreateUserResponse};
use haechi_wire::Fault;

use crate::authz::{UserContext, authorize};
use crate::store::{UserRecord, user_path};
use crate::user::{self, DEFAULT_PATH, ID_ALPHABET, ID_LENGTH};
use crate::{Iam, tags};

impl Handle<CreateUser> for Iam {
    async fn handle(&self, cx: &Cx, input: CreateUserRequest) -> Result<CreateUserResponse, Error> {
        let (account, name) = (cx.account(), input.user_name);
        let path = input.path.unwrap_or_else(|| DEFAULT_PATH.to_owned());
        let new_tags = input.tags.unwrap_or_default();
        let arn = user::arn(account, &path, &name);
        user::note(cx, &arn);
        let tag_keys = tags::keys(&new_tags);
        let context =
            UserContext { resource_tags: &[], request_tags: &new_tags, tag_keys: &tag_keys };
        authorize(cx, &arn, &context)?;
        if input.permissions_boundary.is_some() {
            return Err(unsupported_boundary().into());
        }
        tags::check(&new_tags)?;
        let place = user_path(account, &name);
        if self.database.load::<UserRecord>(&place).await?.is_some() {
            return Err(user::exists(&name));
        }
        let id = cx.env.characters(ID_ALPHABET, ID_LENGTH).map_err(Fault::internal)?;
        let record = UserRecord {
            name,
            path,
            id: format!("AIDA{id}"),
            created_ms: cx.now().millis(),
            tags: tags::merged(Vec::new(), &new_tags)?,
            policies: BTreeMap::new(),
            access_key_ids: Vec::new(),
            unknown: Unknown::new(),
        };
        let mut batch = Batch::new();
        batch.create(place, &record);
        self.database.commit(batch).await?;
        Ok(CreateUserResponse { user: Some(record.shown(account)) })
    }
}

fn unsupported_boundary() -> Fault {
    Fault::Unsupported { service: "iam", operation: "CreateUser with PermissionsBoundary".into() }
}
