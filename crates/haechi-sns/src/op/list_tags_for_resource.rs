//! `ListTagsForResource`.

use haechi_core::{Cx, Facts, Handle};
use haechi_sns_model::Error;
use haechi_sns_model::ops::ListTagsForResource;
use haechi_sns_model::shapes::{ListTagsForResourceRequest, ListTagsForResourceResponse, Tag};

use crate::Sns;

impl Handle<ListTagsForResource> for Sns {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListTagsForResourceRequest,
    ) -> Result<ListTagsForResourceResponse, Error> {
        let topic = self.tagged(cx, &input.resource_arn, Facts::default()).await?;
        let tags = topic.record().tags.clone();
        let tags = tags.into_iter().map(|(key, value)| Tag { key, value }).collect();
        Ok(ListTagsForResourceResponse { tags: Some(tags) })
    }
}
