//! Lists the tags of a user, by key.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListUserTags;
use haechi_iam_model::shapes::{ListUserTagsRequest, ListUserTagsResponse};

use crate::Iam;
use crate::listing::page;
use crate::user::shown_tags;

impl Handle<ListUserTags> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListUserTagsRequest,
    ) -> Result<ListUserTagsResponse, Error> {
        let mut tags = self.user(cx, &input.user_name).await?.value.tags;
        tags.sort_by_cached_key(|(key, _)| key.to_lowercase());
        let order = |tag: &(String, String)| tag.0.to_lowercase();
        let found = page(tags.into_iter(), order, input.marker.as_deref(), input.max_items)?;
        Ok(ListUserTagsResponse {
            tags: shown_tags(&found.items),
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}
