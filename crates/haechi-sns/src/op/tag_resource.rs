//! `TagResource`.

use haechi_core::{Batch, Cx, Facts, Handle};
use haechi_sns_model::Error;
use haechi_sns_model::ops::TagResource;
use haechi_sns_model::shapes::{TagResourceRequest, TagResourceResponse};

use crate::{Sns, tags};

impl Handle<TagResource> for Sns {
    async fn handle(
        &self,
        cx: &Cx,
        input: TagResourceRequest,
    ) -> Result<TagResourceResponse, Error> {
        let facts = Facts::putting(input.tags.iter().map(|tag| (&tag.key, &tag.value)));
        let topic = self.tagged(cx, &input.resource_arn, facts).await?;
        let mut record = topic.record().clone();
        tags::merge(&mut record.tags, &input.tags)?;
        let mut batch = Batch::new();
        batch.replace(&topic.loaded, &record);
        self.database.commit(batch).await?;
        Ok(TagResourceResponse {})
    }
}
