//! Lists the tags of an OpenID Connect provider, by key.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListOpenIDConnectProviderTags;
use haechi_iam_model::shapes::{
    ListOpenIDConnectProviderTagsRequest, ListOpenIDConnectProviderTagsResponse,
};

use crate::Iam;
use crate::store::OidcProviderRecord;

impl Handle<ListOpenIDConnectProviderTags> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListOpenIDConnectProviderTagsRequest,
    ) -> Result<ListOpenIDConnectProviderTagsResponse, Error> {
        let (marker, items_max) = (input.marker.as_deref(), input.max_items);
        let arn = &input.open_id_connect_provider_arn;
        let found = self.tags_by_arn::<OidcProviderRecord>(cx, arn, marker, items_max).await?;
        Ok(ListOpenIDConnectProviderTagsResponse {
            tags: found.items,
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}
