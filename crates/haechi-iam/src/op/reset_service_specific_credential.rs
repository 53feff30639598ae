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
        let (user, id) = (input.user_name.as_deref(), &input.service_specific_credential_id);
        let (keys, found) = self.service_credential(cx, user, id).await?;
        let answer = found.shown(keys.owner_name(), service_credential::password(&cx.env)?);
        Ok(ResetServiceSpecificCredentialResponse { service_specific_credential: Some(answer) })
    }
}
