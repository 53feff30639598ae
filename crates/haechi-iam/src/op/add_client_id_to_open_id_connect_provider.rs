//! Adds an audience to an OpenID Connect provider; one that is there is no error.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::AddClientIDToOpenIDConnectProvider;
use haechi_iam_model::shapes::AddClientIDToOpenIDConnectProviderRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::oidc::checked_client_ids;
use crate::store::OidcProviderRecord;

impl Handle<AddClientIDToOpenIDConnectProvider> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: AddClientIDToOpenIDConnectProviderRequest,
    ) -> Result<Unit, Error> {
        let arn = &input.open_id_connect_provider_arn;
        let add = |mut provider: OidcProviderRecord| {
            provider.client_ids.push(input.client_id);
            provider.client_ids = checked_client_ids(provider.client_ids)?;
            Ok(provider)
        };
        self.change_oidc_provider(cx, arn, add).await
    }
}
