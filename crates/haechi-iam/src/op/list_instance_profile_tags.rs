//! Lists the tags of an instance profile, by key.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListInstanceProfileTags;
use haechi_iam_model::shapes::{ListInstanceProfileTagsRequest, ListInstanceProfileTagsResponse};

use crate::authz::Conditions;
use crate::{Iam, tags};

impl Handle<ListInstanceProfileTags> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListInstanceProfileTagsRequest,
    ) -> Result<ListInstanceProfileTagsResponse, Error> {
        let name = &input.instance_profile_name;
        let tags = self.profile(cx, name, Conditions::default()).await?.value.tags;
        let found =
            tags::listed(tags, tags::KeyCase::Counts, input.marker.as_deref(), input.max_items)?;
        Ok(ListInstanceProfileTagsResponse {
            tags: found.items,
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}
