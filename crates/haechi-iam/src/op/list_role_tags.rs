//! Lists the tags of a role, by key.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListRoleTags;
use haechi_iam_model::shapes::{ListRoleTagsRequest, ListRoleTagsResponse};

use crate::Iam;
use crate::store::RoleRecord;
use crate::tags;

impl Handle<ListRoleTags> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListRoleTagsRequest,
    ) -> Result<ListRoleTagsResponse, Error> {
        let tags = self.entity::<RoleRecord>(cx, &input.role_name).await?.value.tags;
        let found =
            tags::listed(tags, tags::KeyCase::Ignored, input.marker.as_deref(), input.max_items)?;
        Ok(ListRoleTagsResponse {
            tags: found.items,
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}
