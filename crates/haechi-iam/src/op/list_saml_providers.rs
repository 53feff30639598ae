//! Lists the account's SAML providers.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListSAMLProviders;
use haechi_iam_model::shapes::{
    ListSAMLProvidersRequest, ListSAMLProvidersResponse, SAMLProviderListEntry,
};
use haechi_wire::Timestamp;

use crate::Iam;
use crate::by_arn::ByArn;
use crate::store::SamlProviderRecord;

impl Handle<ListSAMLProviders> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        _: ListSAMLProvidersRequest,
    ) -> Result<ListSAMLProvidersResponse, Error> {
        cx.authorize_any()?;
        let prefix = SamlProviderRecord::prefix(cx.account());
        let rows = self.database.list_all::<SamlProviderRecord>(&prefix).await?;
        let shown = |provider: &SamlProviderRecord| SAMLProviderListEntry {
            arn: Some(provider.arn(cx.account())),
            valid_until: Some(provider.valid_until()),
            create_date: Some(Timestamp::from_millis(provider.created_ms)),
        };
        let mut listed: Vec<_> = rows.iter().map(|row| shown(&row.value)).collect();
        listed.sort_unstable_by(|one, other| one.arn.cmp(&other.arn));
        Ok(ListSAMLProvidersResponse { saml_provider_list: Some(listed) })
    }
}
