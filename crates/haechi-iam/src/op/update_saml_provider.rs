//! Replaces the metadata document of a SAML provider.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::UpdateSAMLProvider;
use haechi_iam_model::shapes::{UpdateSAMLProviderRequest, UpdateSAMLProviderResponse};
use haechi_wire::Fault;

use crate::Iam;
use crate::authz::Conditions;
use crate::saml::check_document;
use crate::store::SamlProviderRecord;

impl Handle<UpdateSAMLProvider> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: UpdateSAMLProviderRequest,
    ) -> Result<UpdateSAMLProviderResponse, Error> {
        let arn = &input.saml_provider_arn;
        let found = self.by_arn::<SamlProviderRecord>(cx, arn, Conditions::default()).await?;
        cx.refuse_parameters(&[
            ("AssertionEncryptionMode", input.assertion_encryption_mode.is_some()),
            ("AddPrivateKey", input.add_private_key.is_some()),
            ("RemovePrivateKey", input.remove_private_key.is_some()),
        ])?;
        let metadata = input.saml_metadata_document.ok_or_else(|| {
            let message = "Unable to update identity provider. No updates are defined for metadata \
                or encryption assertion.";
            Fault::Validation(message.to_owned())
        })?;
        check_document(&metadata)?;
        let mut batch = Batch::new();
        batch.replace(&found, &SamlProviderRecord { metadata, ..found.value.clone() });
        self.database.commit(batch).await?;
        Ok(UpdateSAMLProviderResponse { saml_provider_arn: Some(input.saml_provider_arn) })
    }
}
