//! Deletes an SSH public key.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::DeleteSSHPublicKey;
use haechi_iam_model::shapes::DeleteSSHPublicKeyRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::public_keys::{no_ssh_key, take};

impl Handle<DeleteSSHPublicKey> for Iam {
    async fn handle(&self, cx: &Cx, input: DeleteSSHPublicKeyRequest) -> Result<Unit, Error> {
        let mut keys = self.public_keys(cx, Some(&input.user_name)).await?;
        let id = &input.ssh_public_key_id;
        take(&mut keys.record.ssh_keys, id).ok_or_else(|| no_ssh_key(id))?;
        self.keep_public_keys(keys).await
    }
}
