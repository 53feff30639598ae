//! Deletes a service-specific credential.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::DeleteServiceSpecificCredential;
use haechi_iam_model::shapes::DeleteServiceSpecificCredentialRequest;
use haechi_wire::shape::Unit;

use crate::{Iam, service_credential};

impl Handle<DeleteServiceSpecificCredential> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: DeleteServiceSpecificCredentialRequest,
    ) -> Result<Unit, Error> {
        let mut keys = self.public_keys(cx, input.user_name.as_deref()).await?;
        let id = &input.service_specific_credential_id;
        let all = &mut keys.record.service_credentials;
        let before = all.len();
        all.retain(|one| one.id != *id);
        if all.len() == before {
            return Err(service_credential::not_found(id));
        }
        self.keep_public_keys(keys).await
    }
}
