//! Trusts a SAML 2.0 identity provider, as its metadata describe it.

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::{CreateSAMLProvider, TagSAMLProvider};
use haechi_iam_model::shapes::{CreateSAMLProviderRequest, CreateSAMLProviderResponse};

use crate::authz::{Conditions, authorize_creation};
use crate::by_arn::{self, ByArn};
use crate::saml::{PROVIDERS_MAX, check_document};
use crate::store::SamlProviderRecord;
use crate::user::{new_id, shown_tags};
use crate::{Iam, tags};

impl Handle<CreateSAMLProvider> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: CreateSAMLProviderRequest,
    ) -> Result<CreateSAMLProviderResponse, Error> {
        let (account, name) = (cx.account(), input.name);
        let new_tags = input.tags.unwrap_or_default();
        let arn = by_arn::arn::<SamlProviderRecord>(account, &name);
        by_arn::note::<SamlProviderRecord>(cx, &arn);
        let keys = tags::keys(&new_tags);
        let asked =
            Conditions { request_tags: &new_tags, tag_keys: &keys, ..Conditions::default() };
        authorize_creation::<TagSAMLProvider>(cx, &arn, &asked)?;
        // Assertions that are encrypted need keys of the account's own.
        cx.refuse_parameters(&[
            ("AssertionEncryptionMode", input.assertion_encryption_mode.is_some()),
            ("AddPrivateKey", input.add_private_key.is_some()),
        ])?;
        tags::check(&new_tags, tags::KeyCase::Counts)?;
        check_document(&input.saml_metadata_document)?;
        let place = SamlProviderRecord::place(account, &name);
        if self.database.load::<SamlProviderRecord>(&place).await?.is_some() {
            let message = format!("Provider with name {name} already exists.");
            return Err(Error::EntityAlreadyExistsException(message));
        }
        let quota = "SAMLProvidersPerAccount";
        self.check_room::<SamlProviderRecord>(account, PROVIDERS_MAX, quota).await?;
        let record = SamlProviderRecord {
            name,
            id: new_id(&cx.env, "SAMLSP")?,
            metadata: input.saml_metadata_document,
            created_ms: cx.now().millis(),
            tags: tags::merged(Vec::new(), &new_tags, tags::KeyCase::Counts)?,
            unknown: Unknown::new(),
        };
        let mut batch = Batch::new();
        batch.create(place, &record);
        self.database.commit(batch).await?;
        Ok(CreateSAMLProviderResponse {
            saml_provider_arn: Some(arn),
            tags: Some(shown_tags(&record.tags)).filter(|tags| !tags.is_empty()),
        })
    }
}
