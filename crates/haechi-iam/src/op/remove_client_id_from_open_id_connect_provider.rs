//! Takes an audience from an OpenID Connect provider; one that is not there is no error.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::RemoveClientIDFromOpenIDConnectProvider;
use haechi_iam_model::shapes::RemoveClientIDFromOpenIDConnectProviderRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::OidcProviderRecord;

impl Handle<RemoveClientIDFromOpenIDConnectProvider> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: RemoveClientIDFromOpenIDConnectProviderRequest,
    ) -> Result<Unit, Error> {
        let remove = |mut provider: OidcProviderRecord| {
            provider.client_ids.retain(|id| *id != input.client_id);
            Ok(provider)
        };
        self.change_oidc_provider(cx, &input.open_id_connect_provider_arn, remove).await
    }
}
