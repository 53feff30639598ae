//! Shows a SAML provider with its metadata document.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::GetSAMLProvider;
use haechi_iam_model::shapes::{
    AssertionEncryptionModeType, GetSAMLProviderRequest, GetSAMLProviderResponse,
};
use haechi_wire::Timestamp;

use crate::Iam;
use crate::authz::Conditions;
use crate::store::SamlProviderRecord;
use crate::user::shown_tags;

impl Handle<GetSAMLProvider> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetSAMLProviderRequest,
    ) -> Result<GetSAMLProviderResponse, Error> {
        let arn = &input.saml_provider_arn;
        let found = self.by_arn::<SamlProviderRecord>(cx, arn, Conditions::default()).await?.value;
        Ok(GetSAMLProviderResponse {
            valid_until: Some(found.valid_until()),
            saml_provider_uuid: Some(found.id),
            saml_metadata_document: Some(found.metadata),
            create_date: Some(Timestamp::from_millis(found.created_ms)),
            tags: Some(shown_tags(&found.tags)),
            // What AWS shows of a provider without keys (LocalStack's `test_get_saml_provider`).
            assertion_encryption_mode: Some(AssertionEncryptionModeType::Allowed),
            private_key_list: Some(Vec::new()),
        })
    }
}
