//! Shows an OpenID Connect provider.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::GetOpenIDConnectProvider;
use haechi_iam_model::shapes::{GetOpenIDConnectProviderRequest, GetOpenIDConnectProviderResponse};
use haechi_wire::Timestamp;

use crate::Iam;
use crate::authz::Conditions;
use crate::store::OidcProviderRecord;
use crate::user::shown_tags;

impl Handle<GetOpenIDConnectProvider> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetOpenIDConnectProviderRequest,
    ) -> Result<GetOpenIDConnectProviderResponse, Error> {
        let arn = &input.open_id_connect_provider_arn;
        let found = self.by_arn::<OidcProviderRecord>(cx, arn, Conditions::default()).await?.value;
        Ok(GetOpenIDConnectProviderResponse {
            // AWS shows it without its scheme.
            url: Some(found.url),
            client_id_list: Some(found.client_ids),
            thumbprint_list: Some(found.thumbprints),
            create_date: Some(Timestamp::from_millis(found.created_ms)),
            tags: Some(shown_tags(&found.tags)),
        })
    }
}
