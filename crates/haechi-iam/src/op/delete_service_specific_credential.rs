//! Deletes a service-specific credential.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::DeleteServiceSpecificCredential;
use haechi_iam_model::shapes::DeleteServiceSpecificCredentialRequest;
use haechi_wire::shape::Unit;

use crate::Iam;

impl Handle<DeleteServiceSpecificCredential> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: DeleteServiceSpecificCredentialRequest,
    ) -> Result<Unit, Error> {
        let (user, id) = (input.user_name.as_deref(), &input.service_specific_credential_id);
        let (mut keys, _) = self.service_credential(cx, user, id).await?;
        keys.record.service_credentials.retain(|one| one.id != *id);
        self.keep_public_keys(keys).await
    }
}
