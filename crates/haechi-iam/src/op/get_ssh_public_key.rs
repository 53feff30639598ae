//! Shows an SSH public key, in the encoding that is asked for.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::GetSSHPublicKey;
use haechi_iam_model::shapes::{
    EncodingType, GetSSHPublicKeyRequest, GetSSHPublicKeyResponse, SSHPublicKey,
};

use crate::Iam;
use crate::public_keys::no_ssh_key;
use crate::ssh_key::SshKey;

impl Handle<GetSSHPublicKey> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetSSHPublicKeyRequest,
    ) -> Result<GetSSHPublicKeyResponse, Error> {
        let keys = self.public_keys(cx, Some(&input.user_name)).await?;
        let id = &input.ssh_public_key_id;
        let found = keys.record.ssh_keys.iter().find(|one| one.id == *id);
        let found = found.ok_or_else(|| no_ssh_key(id))?;
        let key = SshKey::parse(&found.body)?;
        let is_ssh = found.body.trim_start().starts_with("ssh-rsa");
        // As it was uploaded, with its comment, where that is what is asked for.
        let body = match input.encoding {
            EncodingType::Ssh if is_ssh => found.body.clone(),
            EncodingType::Ssh => key.ssh(),
            EncodingType::Pem if !is_ssh => found.body.clone(),
            EncodingType::Pem => key.pem(),
        };
        Ok(GetSSHPublicKeyResponse {
            ssh_public_key: Some(SSHPublicKey {
                user_name: keys.owner_name(),
                ssh_public_key_id: found.id.clone(),
                fingerprint: key.fingerprint(),
                ssh_public_key_body: body,
                status: found.status(),
                upload_date: Some(found.uploaded()),
            }),
        })
    }
}
