//! `UntagResource`.

use haechi_core::{Batch, Cx, Facts, Handle};
use haechi_sns_model::Error;
use haechi_sns_model::ops::UntagResource;
use haechi_sns_model::shapes::{UntagResourceRequest, UntagResourceResponse};

use crate::Sns;

impl Handle<UntagResource> for Sns {
    async fn handle(
        &self,
        cx: &Cx,
        input: UntagResourceRequest,
    ) -> Result<UntagResourceResponse, Error> {
        let facts = Facts::default().and_taking(&input.tag_keys);
        let topic = self.tagged(cx, &input.resource_arn, facts).await?;
        let mut record = topic.record().clone();
        record.tags.retain(|key, _| !input.tag_keys.contains(key));
        let mut batch = Batch::new();
        batch.replace(&topic.loaded, &record);
        self.database.commit(batch).await?;
        Ok(UntagResourceResponse {})
    }
}
