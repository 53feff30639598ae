//! `RemoveTagsFromResource`.

use haechi_core::{Batch, Cx, Handle};
use haechi_ssm_model::Error;
use haechi_ssm_model::ops::RemoveTagsFromResource;
use haechi_ssm_model::shapes::{RemoveTagsFromResourceRequest, RemoveTagsFromResourceResult};

use super::add_tags_to_resource::Tagging;
use crate::Ssm;

impl Handle<RemoveTagsFromResource> for Ssm {
    async fn handle(
        &self,
        cx: &Cx,
        input: RemoveTagsFromResourceRequest,
    ) -> Result<RemoveTagsFromResourceResult, Error> {
        let about = Tagging { tags: &[], keys: &input.tag_keys };
        let loaded = self.tagged(cx, input.resource_type, &input.resource_id, about).await?;
        let mut parameter = loaded.value.clone();
        parameter.tags.retain(|key, _| !input.tag_keys.contains(key));
        let mut batch = Batch::new();
        batch.replace(&loaded, &parameter);
        self.database.commit(batch).await?;
        Ok(RemoveTagsFromResourceResult {})
    }
}
