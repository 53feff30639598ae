//! Adds tags to a SAML provider, or changes them.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::TagSAMLProvider;
use haechi_iam_model::shapes::TagSAMLProviderRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::SamlProviderRecord;

impl Handle<TagSAMLProvider> for Iam {
    async fn handle(&self, cx: &Cx, input: TagSAMLProviderRequest) -> Result<Unit, Error> {
        self.tag_by_arn::<SamlProviderRecord>(cx, &input.saml_provider_arn, &input.tags).await
    }
}
