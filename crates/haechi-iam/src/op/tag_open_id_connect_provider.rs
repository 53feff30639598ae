//! Adds tags to an OpenID Connect provider, or changes them.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::TagOpenIDConnectProvider;
use haechi_iam_model::shapes::TagOpenIDConnectProviderRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::OidcProviderRecord;

impl Handle<TagOpenIDConnectProvider> for Iam {
    async fn handle(&self, cx: &Cx, input: TagOpenIDConnectProviderRequest) -> Result<Unit, Error> {
        self.tag_by_arn::<OidcProviderRecord>(cx, &input.open_id_connect_provider_arn, &input.tags)
            .await
    }
}
