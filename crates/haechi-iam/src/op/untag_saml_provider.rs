//! Takes tags from a SAML provider; keys that it does not have are no error.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::UntagSAMLProvider;
use haechi_iam_model::shapes::UntagSAMLProviderRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::SamlProviderRecord;

impl Handle<UntagSAMLProvider> for Iam {
    async fn handle(&self, cx: &Cx, input: UntagSAMLProviderRequest) -> Result<Unit, Error> {
        self.untag_by_arn::<SamlProviderRecord>(cx, &input.saml_provider_arn, &input.tag_keys).await
    }
}
