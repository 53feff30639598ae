//! Gives a service-specific credential another password. The one before is nowhere kept, so that
//! there is nothing to write.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ResetServiceSpecificCredential;
use haechi_iam_model::shapes::{
    ResetServiceSpecificCredentialRequest, ResetServiceSpecificCredentialResponse,
};

use crate::{Iam, service_credential};

impl Handle<ResetServiceSpecificCredential> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ResetServiceSpecificCredentialRequest,
    ) -> Result<ResetServiceSpecificCredentialResponse, Error> {
        let keys = self.public_keys(cx, input.user_name.as_deref()).await?;
        let id = &input.service_specific_credential_id;
        let found = keys.record.service_credentials.iter().find(|one| one.id == *id);
        let found = found.ok_or_else(|| service_credential::not_found(id))?;
        let answer = found.shown(keys.owner_name(), service_credential::password(&cx.env)?);
        Ok(ResetServiceSpecificCredentialResponse { service_specific_credential: Some(answer) })
    }
}
