//! Activates or deactivates an SSH public key.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::UpdateSSHPublicKey;
use haechi_iam_model::shapes::UpdateSSHPublicKeyRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::public_keys::is_active;

impl Handle<UpdateSSHPublicKey> for Iam {
    async fn handle(&self, cx: &Cx, input: UpdateSSHPublicKeyRequest) -> Result<Unit, Error> {
        let mut keys = self.public_keys(cx, Some(&input.user_name)).await?;
        let active = is_active(input.status)?;
        let id = &input.ssh_public_key_id;
        let Some(found) = keys.record.ssh_keys.iter_mut().find(|one| one.id == *id) else {
            return Err(self.no_ssh_key(cx.account(), id).await);
        };
        found.active = active;
        self.keep_public_keys(keys).await
    }
}
