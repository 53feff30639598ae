//! `UntagResource`.

use haechi_core::{Batch, Cx, Handle};
use haechi_sns_model::Error;
use haechi_sns_model::ops::UntagResource;
use haechi_sns_model::shapes::{UntagResourceRequest, UntagResourceResponse};

use crate::Sns;
use crate::topic::Facts;

impl Handle<UntagResource> for Sns {
    async fn handle(
        &self,
        cx: &Cx,
        input: UntagResourceRequest,
    ) -> Result<UntagResourceResponse, Error> {
        let facts = Facts { tag_keys: &input.tag_keys, ..Facts::default() };
        let topic = self.tagged(cx, &input.resource_arn, &facts).await?;
        let mut record = topic.record().clone();
        record.tags.retain(|key, _| !input.tag_keys.contains(key));
        let mut batch = Batch::new();
        batch.replace(&topic.loaded, &record);
        self.database.commit(batch).await?;
        Ok(UntagResourceResponse {})
    }
}
