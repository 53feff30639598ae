//! Lists the tags of a SAML provider, by key.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListSAMLProviderTags;
use haechi_iam_model::shapes::{ListSAMLProviderTagsRequest, ListSAMLProviderTagsResponse};

use crate::Iam;
use crate::store::SamlProviderRecord;

impl Handle<ListSAMLProviderTags> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListSAMLProviderTagsRequest,
    ) -> Result<ListSAMLProviderTagsResponse, Error> {
        let (marker, items_max) = (input.marker.as_deref(), input.max_items);
        let arn = &input.saml_provider_arn;
        let found = self.tags_by_arn::<SamlProviderRecord>(cx, arn, marker, items_max).await?;
        Ok(ListSAMLProviderTagsResponse {
            tags: found.items,
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}
