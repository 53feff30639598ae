//! `ListQueueTags`.

use haechi_core::{Cx, Handle};
use haechi_sqs_model::Error;
use haechi_sqs_model::ops::ListQueueTags;
use haechi_sqs_model::shapes::{ListQueueTagsRequest, ListQueueTagsResult};

use crate::Sqs;

impl Handle<ListQueueTags> for Sqs {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListQueueTagsRequest,
    ) -> Result<ListQueueTagsResult, Error> {
        let (queue, _) = self.queue(cx, &input.queue_url).await?;
        let tags = queue.record().tags.clone();
        Ok(ListQueueTagsResult { tags: Some(tags).filter(|tags| !tags.is_empty()) })
    }
}
