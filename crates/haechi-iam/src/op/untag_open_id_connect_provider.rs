//! Takes tags from an OpenID Connect provider; keys that it does not have are no error.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::UntagOpenIDConnectProvider;
use haechi_iam_model::shapes::UntagOpenIDConnectProviderRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::OidcProviderRecord;

impl Handle<UntagOpenIDConnectProvider> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: UntagOpenIDConnectProviderRequest,
    ) -> Result<Unit, Error> {
        self.untag_by_arn::<OidcProviderRecord>(
            cx,
            &input.open_id_connect_provider_arn,
            &input.tag_keys,
        )
        .await
    }
}
