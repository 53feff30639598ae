//! Makes a user name and a password for one service alone (`service_credential.rs`).

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::CreateServiceSpecificCredential;
use haechi_iam_model::shapes::{
    CreateServiceSpecificCredentialRequest, CreateServiceSpecificCredentialResponse,
};

use crate::Iam;
use crate::authz::Conditions;
use crate::service_credential::{CREDENTIALS_MAX, password, service, user_name};
use crate::store::ServiceCredentialRecord;
use crate::user::new_id;

impl Handle<CreateServiceSpecificCredential> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: CreateServiceSpecificCredentialRequest,
    ) -> Result<CreateServiceSpecificCredentialResponse, Error> {
        let service = service(&input.service_name);
        let asked = Conditions {
            credential_service: Some(service.as_ref().map_or(&*input.service_name, |known| *known)),
            credential_age_days: input.credential_age_days,
            ..Conditions::default()
        };
        let mut keys = self.public_keys_with(cx, Some(&input.user_name), asked).await?;
        let service = service?;
        if input.credential_age_days.is_some() {
            // Of Bedrock's alone.
            return Err(cx.unsupported_parameter("CredentialAgeDays").into());
        }
        let all = &keys.record.service_credentials;
        let same: Vec<ServiceCredentialRecord> =
            all.iter().filter(|one| one.service == service).cloned().collect();
        if same.len() >= CREDENTIALS_MAX {
            let message = format!(
                "Cannot exceed quota for ContextSpecificCredentialsPerUserPerContext: {CREDENTIALS_MAX}"
            );
            return Err(Error::LimitExceededException(message));
        }
        let owner = keys.owner_name();
        let record = ServiceCredentialRecord {
            id: new_id(&cx.env, "ACCA")?,
            user_name: user_name(cx.account(), &owner, &same),
            service: service.to_owned(),
            active: true,
            created_ms: cx.now().millis(),
        };
        let answer = record.shown(owner, password(&cx.env)?);
        keys.record.service_credentials.push(record);
        self.keep_public_keys(keys).await?;
        Ok(CreateServiceSpecificCredentialResponse { service_specific_credential: Some(answer) })
    }
}
