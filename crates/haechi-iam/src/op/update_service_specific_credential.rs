//! Activates or deactivates a service-specific credential.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::UpdateServiceSpecificCredential;
use haechi_iam_model::shapes::UpdateServiceSpecificCredentialRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::public_keys::is_active;

impl Handle<UpdateServiceSpecificCredential> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: UpdateServiceSpecificCredentialRequest,
    ) -> Result<Unit, Error> {
        let (user, id) = (input.user_name.as_deref(), &input.service_specific_credential_id);
        let (mut keys, _) = self.service_credential(cx, user, id).await?;
        let active = is_active(input.status)?;
        for one in keys.record.service_credentials.iter_mut().filter(|one| one.id == *id) {
            one.active = active;
        }
        self.keep_public_keys(keys).await
    }
}
