//! Lists the account's OpenID Connect providers.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListOpenIDConnectProviders;
use haechi_iam_model::shapes::{
    ListOpenIDConnectProvidersRequest, ListOpenIDConnectProvidersResponse,
    OpenIDConnectProviderListEntry,
};

use crate::Iam;
use crate::by_arn::ByArn;
use crate::store::OidcProviderRecord;

impl Handle<ListOpenIDConnectProviders> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        _: ListOpenIDConnectProvidersRequest,
    ) -> Result<ListOpenIDConnectProvidersResponse, Error> {
        cx.authorize_any()?;
        let prefix = OidcProviderRecord::prefix(cx.account());
        let rows = self.database.list_all::<OidcProviderRecord>(&prefix).await?;
        let mut arns: Vec<String> = rows.iter().map(|row| row.value.arn(cx.account())).collect();
        arns.sort_unstable();
        let shown = |arn| OpenIDConnectProviderListEntry { arn: Some(arn) };
        let open_id_connect_provider_list = Some(arns.into_iter().map(shown).collect());
        Ok(ListOpenIDConnectProvidersResponse { open_id_connect_provider_list })
    }
}
