//! Deletes a key. It is refused from the next request on.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::DeleteAccessKey;
use haechi_iam_model::shapes::DeleteAccessKeyRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::{GoneKeyRecord, gone_key_path, last_used_path};

impl Handle<DeleteAccessKey> for Iam {
    async fn handle(&self, cx: &Cx, input: DeleteAccessKeyRequest) -> Result<Unit, Error> {
        let owner = self.owner(cx, input.user_name.as_deref()).await?;
        let key = self.key_of(cx, &owner, &input.access_key_id).await?;
        let mut batch = Batch::new();
        let rest = owner.key_ids().iter().filter(|id| **id != key.value.id).cloned().collect();
        owner.set_key_ids(&mut batch, rest);
        batch.remove(&key);
        batch.delete(last_used_path(&key.value.id));
        batch.put(gone_key_path(&key.value.id), &GoneKeyRecord::default());
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
