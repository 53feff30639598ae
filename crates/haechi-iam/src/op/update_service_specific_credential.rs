//! Changes a service-specific credential: there is none (`create_service_specific_credential.rs`).

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::UpdateServiceSpecificCredential;
use haechi_iam_model::shapes::UpdateServiceSpecificCredentialRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::access_key::no_service_specific_credential;

impl Handle<UpdateServiceSpecificCredential> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: UpdateServiceSpecificCredentialRequest,
    ) -> Result<Unit, Error> {
        self.owner(cx, input.user_name.as_deref()).await?;
        Err(no_service_specific_credential(&input.service_specific_credential_id))
    }
}
