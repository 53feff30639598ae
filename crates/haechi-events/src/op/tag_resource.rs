//! `TagResource`.

use haechi_core::{Cx, Facts, Handle};
use haechi_events_model::Error;
use haechi_events_model::ops::TagResource;
use haechi_events_model::shapes::{TagResourceRequest, TagResourceResponse};

use crate::{Events, tags};

impl Handle<TagResource> for Events {
    async fn handle(
        &self,
        cx: &Cx,
        input: TagResourceRequest,
    ) -> Result<TagResourceResponse, Error> {
        let put = input.tags.clone();
        let facts = Facts::putting(put.iter().map(|tag| (&tag.key, &tag.value)));
        let change = |existing| tags::merged(existing, input.tags);
        self.change_tags(cx, &input.resource_arn, facts, change).await?;
        Ok(TagResourceResponse {})
    }
}
