//! Lists the SSH public keys of a user, or of the caller itself, without the keys.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListSSHPublicKeys;
use haechi_iam_model::shapes::{
    ListSSHPublicKeysRequest, ListSSHPublicKeysResponse, SSHPublicKeyMetadata,
};

use crate::Iam;
use crate::listing::page;

impl Handle<ListSSHPublicKeys> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListSSHPublicKeysRequest,
    ) -> Result<ListSSHPublicKeysResponse, Error> {
        let keys = self.public_keys(cx, input.user_name.as_deref()).await?;
        let mut all = keys.record.ssh_keys.clone();
        all.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        let marker = input.marker.as_deref();
        let found = page(all.into_iter(), |one| one.id.clone(), marker, input.max_items)?;
        let shown = found.items.into_iter().map(|one| SSHPublicKeyMetadata {
            user_name: keys.owner_name(),
            status: one.status(),
            upload_date: one.uploaded(),
            ssh_public_key_id: one.id,
        });
        Ok(ListSSHPublicKeysResponse {
            ssh_public_keys: Some(shown.collect()),
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}
