//! Makes an instance profile without a role.

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::{CreateInstanceProfile, TagInstanceProfile};
use haechi_iam_model::shapes::{CreateInstanceProfileRequest, CreateInstanceProfileResponse};

use crate::authz::{Conditions, authorize_creation};
use crate::store::{ProfileRecord, profile_path};
use crate::user::{DEFAULT_PATH, new_id};
use crate::{Iam, profile, tags};

impl Handle<CreateInstanceProfile> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: CreateInstanceProfileRequest,
    ) -> Result<CreateInstanceProfileResponse, Error> {
        let (account, name) = (cx.account(), input.instance_profile_name);
        let path = input.path.unwrap_or_else(|| DEFAULT_PATH.to_owned());
        let new_tags = input.tags.unwrap_or_default();
        let arn = profile::arn(account, &path, &name);
        profile::note(cx, &arn);
        let keys = tags::keys(&new_tags);
        let asked =
            Conditions { request_tags: &new_tags, tag_keys: &keys, ..Conditions::default() };
        authorize_creation::<TagInstanceProfile>(cx, &arn, &asked)?;
        tags::check(&new_tags, tags::KeyCase::Counts)?;
        let place = profile_path(account, &name);
        if self.database.load::<ProfileRecord>(&place).await?.is_some() {
            let message = format!("Instance Profile {name} already exists.");
            return Err(Error::EntityAlreadyExistsException(message));
        }
        self.check_quota::<ProfileRecord>(account).await?;
        let record = ProfileRecord {
            name,
            path,
            id: new_id(&cx.env, "AIPA")?,
            created_ms: cx.now().millis(),
            role: None,
            tags: tags::merged(Vec::new(), &new_tags, tags::KeyCase::Counts)?,
            unknown: Unknown::new(),
        };
        let mut batch = Batch::new();
        batch.create(place, &record);
        self.database.commit(batch).await?;
        self.counts.made::<ProfileRecord>(account);
        let with_tags = !record.tags.is_empty();
        let instance_profile = self.shown_profile(cx, &record, with_tags).await?;
        Ok(CreateInstanceProfileResponse { instance_profile })
    }
}
