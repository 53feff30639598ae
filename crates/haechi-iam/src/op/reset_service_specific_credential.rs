//! Renews a service-specific credential: there is none (`create_service_specific_credential.rs`).

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ResetServiceSpecificCredential;
use haechi_iam_model::shapes::{
    ResetServiceSpecificCredentialRequest, ResetServiceSpecificCredentialResponse,
};

use crate::Iam;
use crate::access_key::no_service_specific_credential;

impl Handle<ResetServiceSpecificCredential> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ResetServiceSpecificCredentialRequest,
    ) -> Result<ResetServiceSpecificCredentialResponse, Error> {
        self.owner(cx, input.user_name.as_deref()).await?;
        Err(no_service_specific_credential(&input.service_specific_credential_id))
    }
}
