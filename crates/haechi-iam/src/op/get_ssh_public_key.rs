//! Shows an SSH public key, in the encoding that is asked for.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::GetSSHPublicKey;
use haechi_iam_model::shapes::{
    EncodingType, GetSSHPublicKeyRequest, GetSSHPublicKeyResponse, SSHPublicKey,
};

use crate::Iam;
use crate::ssh_key::SshKey;

impl Handle<GetSSHPublicKey> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetSSHPublicKeyRequest,
    ) -> Result<GetSSHPublicKeyResponse, Error> {
        let keys = self.public_keys(cx, Some(&input.user_name)).await?;
        let id = &input.ssh_public_key_id;
        let Some(found) = keys.record.ssh_keys.iter().find(|one| one.id == *id) else {
            return Err(self.no_ssh_key(cx.account(), id).await);
        };
        let key = SshKey::parse(&found.body)?;
        let is_ssh = found.body.trim_start().starts_with("ssh-rsa");
        let body = match input.encoding {
            // Without the comment that it may have been uploaded with.
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
