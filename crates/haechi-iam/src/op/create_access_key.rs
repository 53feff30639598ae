//! Makes an access key for a user, or for the caller itself. The secret is shown here and never
//! again.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::CreateAccessKey;
use haechi_iam_model::shapes::{
    AccessKey, CreateAccessKeyRequest, CreateAccessKeyResponse, StatusType,
};

use crate::Iam;
use crate::access_key::KEYS_MAX;

impl Handle<CreateAccessKey> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: CreateAccessKeyRequest,
    ) -> Result<CreateAccessKeyResponse, Error> {
        let owner = self.owner(cx, input.user_name.as_deref()).await?;
        if owner.key_ids().len() >= KEYS_MAX {
            let message = format!("Cannot exceed quota for AccessKeysPerUser: {KEYS_MAX}");
            return Err(Error::LimitExceededException(message));
        }
        let mut batch = Batch::new();
        let key = owner.issue(&cx.env, cx.account(), &mut batch)?;
        self.database.commit(batch).await?;
        Ok(CreateAccessKeyResponse {
            access_key: AccessKey {
                user_name: owner.name().to_owned(),
                access_key_id: key.id.clone(),
                status: StatusType::Active,
                secret_access_key: key.secret.0.clone(),
                create_date: Some(key.created()),
            },
        })
    }
}
