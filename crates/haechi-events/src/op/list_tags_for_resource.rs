//! `ListTagsForResource`.

use haechi_core::{Cx, Facts, Handle};
use haechi_events_model::Error;
use haechi_events_model::ops::ListTagsForResource;
use haechi_events_model::shapes::{ListTagsForResourceRequest, ListTagsForResourceResponse};

use crate::{Events, tags};

impl Handle<ListTagsForResource> for Events {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListTagsForResourceRequest,
    ) -> Result<ListTagsForResourceResponse, Error> {
        let tags = self.change_tags(cx, &input.resource_arn, Facts::default(), Ok).await?;
        Ok(ListTagsForResourceResponse { tags: Some(tags::show(tags)) })
    }
}
