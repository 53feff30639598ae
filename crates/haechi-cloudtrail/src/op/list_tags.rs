//! `ListTags`.

use haechi_cloudtrail_model::Error;
use haechi_cloudtrail_model::ops::ListTags;
use haechi_cloudtrail_model::shapes::{ListTagsRequest, ListTagsResponse, ResourceTag, Tag};
use haechi_core::{Cx, Handle};

use super::add_tags::resource;
use crate::CloudTrail;

impl Handle<ListTags> for CloudTrail {
    async fn handle(&self, cx: &Cx, input: ListTagsRequest) -> Result<ListTagsResponse, Error> {
        let mut listed = Vec::with_capacity(input.resource_id_list.len());
        for arn in input.resource_id_list {
            let id = resource(cx, &arn)?;
            cx.authorize_on(&id.arn)?;
            let trail = self.tagged_trail(cx, &id).await?.value;
            let tags = trail.tags.into_iter().map(|(key, value)| Tag { key, value: Some(value) });
            listed.push(ResourceTag { resource_id: Some(arn), tags_list: Some(tags.collect()) });
        }
        Ok(ListTagsResponse { resource_tag_list: Some(listed), next_token: None })
    }
}
