//! Activates or deactivates a key. A deactivated key is refused from the next request on.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::UpdateAccessKey;
use haechi_iam_model::shapes::UpdateAccessKeyRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::public_keys::is_active;
use crate::store::AccessKeyRecord;

impl Handle<UpdateAccessKey> for Iam {
    async fn handle(&self, cx: &Cx, input: UpdateAccessKeyRequest) -> Result<Unit, Error> {
        let owner = self.owner(cx, input.user_name.as_deref()).await?;
        let active = is_active(input.status)?;
        let key = self.key_of(cx, &owner, &input.access_key_id).await?;
        let mut batch = Batch::new();
        batch.replace(&key, &AccessKeyRecord { active, ..key.value.clone() });
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
