//! `UntagResource`.

use haechi_core::{Cx, Facts, Handle};
use haechi_events_model::Error;
use haechi_events_model::ops::UntagResource;
use haechi_events_model::shapes::{UntagResourceRequest, UntagResourceResponse};

use crate::Events;
use crate::store::Tags;

impl Handle<UntagResource> for Events {
    async fn handle(
        &self,
        cx: &Cx,
        input: UntagResourceRequest,
    ) -> Result<UntagResourceResponse, Error> {
        let change = |mut existing: Tags| {
            existing.retain(|key, _| !input.tag_keys.contains(key));
            Ok(existing)
        };
        let facts = Facts::default().and_taking(&input.tag_keys);
        self.change_tags(cx, &input.resource_arn, facts, change).await?;
        Ok(UntagResourceResponse {})
    }
}
