//! Lists the tags of a user, by key.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListUserTags;
use haechi_iam_model::shapes::{ListUserTagsRequest, ListUserTagsResponse};

use crate::Iam;
use crate::store::UserRecord;
use crate::tags;

impl Handle<ListUserTags> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListUserTagsRequest,
    ) -> Result<ListUserTagsResponse, Error> {
        let tags = self.entity::<UserRecord>(cx, &input.user_name).await?.value.tags;
        let found =
            tags::listed(tags, tags::KeyCase::Ignored, input.marker.as_deref(), input.max_items)?;
        Ok(ListUserTagsResponse {
            tags: found.items,
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}
