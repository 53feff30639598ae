//! Activates or deactivates a key. A deactivated key is refused from the next request on.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::UpdateAccessKey;
use haechi_iam_model::shapes::{StatusType, UpdateAccessKeyRequest};
use haechi_wire::Fault;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::AccessKeyRecord;

impl Handle<UpdateAccessKey> for Iam {
    async fn handle(&self, cx: &Cx, input: UpdateAccessKeyRequest) -> Result<Unit, Error> {
        let owner = self.owner(cx, input.user_name.as_deref()).await?;
        let active = match input.status {
            StatusType::Active => true,
            StatusType::Inactive => false,
            // Only IAM itself lets keys expire.
            StatusType::Expired => {
                let message = "Invalid status: Expired. Use Active or Inactive.";
                return Err(Fault::Validation(message.to_owned()).into());
            }
        };
        let key = self.key_of(cx, &owner, &input.access_key_id).await?;
        let mut batch = Batch::new();
        batch.replace(&key, &AccessKeyRecord { active, ..key.value.clone() });
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
