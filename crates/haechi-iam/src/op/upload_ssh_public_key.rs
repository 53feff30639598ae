//! Keeps an SSH public key of a user.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::UploadSSHPublicKey;
use haechi_iam_model::shapes::{
    SSHPublicKey, UploadSSHPublicKeyRequest, UploadSSHPublicKeyResponse,
};

use crate::Iam;
use crate::public_keys::SSH_KEYS_MAX;
use crate::ssh_key::SshKey;
use crate::store::UploadRecord;
use crate::user::new_id;

impl Handle<UploadSSHPublicKey> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: UploadSSHPublicKeyRequest,
    ) -> Result<UploadSSHPublicKeyResponse, Error> {
        let mut keys = self.public_keys(cx, Some(&input.user_name)).await?;
        let key = SshKey::parse(&input.ssh_public_key_body)?;
        let is_same = |other: &UploadRecord| SshKey::parse(&other.body).is_ok_and(|it| it == key);
        if keys.record.ssh_keys.iter().any(is_same) {
            let message = "Duplicate SSH public key uploaded.";
            return Err(Error::DuplicateSSHPublicKeyException(message.to_owned()));
        }
        if keys.record.ssh_keys.len() >= SSH_KEYS_MAX {
            let message = format!("Cannot exceed quota for SSHPublicKeysPerUser: {SSH_KEYS_MAX}");
            return Err(Error::LimitExceededException(message));
        }
        let record = UploadRecord {
            id: new_id(&cx.env, "APKA")?,
            body: input.ssh_public_key_body,
            active: true,
            uploaded_ms: cx.now().millis(),
        };
        let answer = SSHPublicKey {
            user_name: keys.owner_name(),
            ssh_public_key_id: record.id.clone(),
            fingerprint: key.fingerprint(),
            ssh_public_key_body: record.body.clone(),
            status: record.status(),
            upload_date: Some(record.uploaded()),
        };
        keys.record.ssh_keys.push(record);
        self.keep_public_keys(keys).await?;
        Ok(UploadSSHPublicKeyResponse { ssh_public_key: Some(answer) })
    }
}
