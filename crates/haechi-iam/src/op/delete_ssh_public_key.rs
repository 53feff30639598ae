//! Deletes an SSH public key.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::DeleteSSHPublicKey;
use haechi_iam_model::shapes::DeleteSSHPublicKeyRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::public_keys::take;

impl Handle<DeleteSSHPublicKey> for Iam {
    async fn handle(&self, cx: &Cx, input: DeleteSSHPublicKeyRequest) -> Result<Unit, Error> {
        let mut keys = self.public_keys(cx, Some(&input.user_name)).await?;
        let id = &input.ssh_public_key_id;
        if take(&mut keys.record.ssh_keys, id).is_none() {
            return Err(self.no_ssh_key(cx.account(), id).await);
        }
        self.keep_public_keys(keys).await
    }
}
