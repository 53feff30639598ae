//! Activates or deactivates a service-specific credential.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::UpdateServiceSpecificCredential;
use haechi_iam_model::shapes::UpdateServiceSpecificCredentialRequest;
use haechi_wire::shape::Unit;

use crate::public_keys::is_active;
use crate::{Iam, service_credential};

impl Handle<UpdateServiceSpecificCredential> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: UpdateServiceSpecificCredentialRequest,
    ) -> Result<Unit, Error> {
        let mut keys = self.public_keys(cx, input.user_name.as_deref()).await?;
        let active = is_active(input.status)?;
        let id = &input.service_specific_credential_id;
        let found = keys.record.service_credentials.iter_mut().find(|one| one.id == *id);
        found.ok_or_else(|| service_credential::not_found(id))?.active = active;
        self.keep_public_keys(keys).await
    }
}
