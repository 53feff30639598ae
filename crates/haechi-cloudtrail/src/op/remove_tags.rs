//! `RemoveTags`.

use haechi_cloudtrail_model::Error;
use haechi_cloudtrail_model::ops::RemoveTags;
use haechi_cloudtrail_model::shapes::{RemoveTagsRequest, RemoveTagsResponse};
use haechi_core::{Batch, Cx, Handle};

use super::add_tags::{facts, resource};
use crate::CloudTrail;

impl Handle<RemoveTags> for CloudTrail {
    async fn handle(&self, cx: &Cx, input: RemoveTagsRequest) -> Result<RemoveTagsResponse, Error> {
        let id = resource(cx, &input.resource_id)?;
        cx.authorize_knowing(&id.arn, &facts(&input.tags_list))?;
        let loaded = self.tagged_trail(cx, &id).await?;
        let mut trail = loaded.value.clone();
        for tag in &input.tags_list {
            // With a value, only the tag that has it.
            let same = |value: &String| tag.value.as_ref().is_none_or(|wanted| wanted == value);
            if trail.tags.get(&tag.key).is_some_and(same) {
                trail.tags.remove(&tag.key);
            }
        }
        let mut batch = Batch::new();
        batch.replace(&loaded, &trail);
        self.database.commit(batch).await?;
        Ok(RemoveTagsResponse {})
    }
}
