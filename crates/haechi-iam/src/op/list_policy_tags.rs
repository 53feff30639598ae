//! Lists the tags of a managed policy, by key.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListPolicyTags;
use haechi_iam_model::shapes::{ListPolicyTagsRequest, ListPolicyTagsResponse};

use crate::managed::Managed;
use crate::{Iam, tags};

impl Handle<ListPolicyTags> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListPolicyTagsRequest,
    ) -> Result<ListPolicyTagsResponse, Error> {
        let tags = match self.managed(cx, &input.policy_arn).await? {
            Managed::Own(own) => own.value.tags,
            Managed::Aws(_) => Vec::new(),
        };
        let found =
            tags::listed(tags, tags::KeyCase::Counts, input.marker.as_deref(), input.max_items)?;
        Ok(ListPolicyTagsResponse {
            tags: found.items,
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}
