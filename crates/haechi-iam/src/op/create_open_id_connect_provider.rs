//! Trusts an OpenID Connect issuer.

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::{CreateOpenIDConnectProvider, TagOpenIDConnectProvider};
use haechi_iam_model::shapes::{
    CreateOpenIDConnectProviderRequest, CreateOpenIDConnectProviderResponse,
};

use crate::authz::{Conditions, authorize_creation};
use crate::by_arn::{self, ByArn};
use crate::oidc::{PROVIDERS_MAX, checked_client_ids, checked_thumbprints, checked_url};
use crate::store::OidcProviderRecord;
use crate::user::shown_tags;
use crate::{Iam, tags};

impl Handle<CreateOpenIDConnectProvider> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: CreateOpenIDConnectProviderRequest,
    ) -> Result<CreateOpenIDConnectProviderResponse, Error> {
        let account = cx.account();
        let url = checked_url(&input.url)?;
        let new_tags = input.tags.unwrap_or_default();
        let arn = by_arn::arn::<OidcProviderRecord>(account, &url);
        by_arn::note::<OidcProviderRecord>(cx, &arn);
        let keys = tags::keys(&new_tags);
        let asked =
            Conditions { request_tags: &new_tags, tag_keys: &keys, ..Conditions::default() };
        authorize_creation::<TagOpenIDConnectProvider>(cx, &arn, &asked)?;
        tags::check(&new_tags, tags::KeyCase::Counts)?;
        let record = OidcProviderRecord {
            url,
            client_ids: checked_client_ids(input.client_id_list.unwrap_or_default())?,
            thumbprints: checked_thumbprints(&input.thumbprint_list.unwrap_or_default())?,
            created_ms: cx.now().millis(),
            tags: tags::merged(Vec::new(), &new_tags, tags::KeyCase::Counts)?,
            unknown: Unknown::new(),
        };
        let place = OidcProviderRecord::place(account, &record.url);
        if self.database.load::<OidcProviderRecord>(&place).await?.is_some() {
            let message = format!("Provider with url {} already exists.", input.url);
            return Err(Error::EntityAlreadyExistsException(message));
        }
        let quota = "OpenIdConnectProvidersPerAccount";
        self.check_room::<OidcProviderRecord>(account, PROVIDERS_MAX, quota).await?;
        let mut batch = Batch::new();
        batch.create(place, &record);
        self.database.commit(batch).await?;
        Ok(CreateOpenIDConnectProviderResponse {
            open_id_connect_provider_arn: Some(arn),
            tags: Some(shown_tags(&record.tags)).filter(|tags| !tags.is_empty()),
        })
    }
}
