//! `ListTagsForResource`.

use haechi_core::{Cx, Handle};
use haechi_ssm_model::Error;
use haechi_ssm_model::ops::ListTagsForResource;
use haechi_ssm_model::shapes::{ListTagsForResourceRequest, ListTagsForResourceResult};

use super::add_tags_to_resource::Tagging;
use crate::{Ssm, tags};

impl Handle<ListTagsForResource> for Ssm {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListTagsForResourceRequest,
    ) -> Result<ListTagsForResourceResult, Error> {
        let about = Tagging { tags: &[], keys: &[] };
        let loaded = self.tagged(cx, input.resource_type, &input.resource_id, about).await?;
        Ok(ListTagsForResourceResult { tag_list: Some(tags::shown(&loaded.value.tags)) })
    }
}
