//! Credentials for one service alone, as CodeCommit takes them: no service here does, and so each is
//! refused as AWS refuses one that does not.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::CreateServiceSpecificCredential;
use haechi_iam_model::shapes::{
    CreateServiceSpecificCredentialRequest, CreateServiceSpecificCredentialResponse,
};

use crate::Iam;

impl Handle<CreateServiceSpecificCredential> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: CreateServiceSpecificCredentialRequest,
    ) -> Result<CreateServiceSpecificCredentialResponse, Error> {
        self.user(cx, &input.user_name).await?;
        Err(Error::ServiceNotSupportedException(format!(
            "The service {} does not support service-specific credentials here.",
            input.service_name
        )))
    }
}
