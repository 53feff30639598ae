//! `ListTags`.

use haechi_cloudtrail_model::Error;
use haechi_cloudtrail_model::ops::ListTags;
use haechi_cloudtrail_model::shapes::{ListTagsRequest, ListTagsResponse, ResourceTag, Tag};
use haechi_core::{Cx, Handle};
use haechi_wire::Fault;

use super::add_tags::resource;
use crate::CloudTrail;

/// ARNs that one call takes.
const ARNS_MAX: usize = 20;

impl Handle<ListTags> for CloudTrail {
    async fn handle(&self, cx: &Cx, input: ListTagsRequest) -> Result<ListTagsResponse, Error> {
        let ids = input.resource_id_list.iter().map(|arn| resource(cx, arn));
        let ids = ids.collect::<Result<Vec<_>, _>>()?;
        for id in &ids {
            cx.authorize_on(&id.arn)?;
        }
        if ids.len() > ARNS_MAX {
            let message = "ResourceIdList has at most 20 ARNs.".to_owned();
            return Err(Fault::Validation(message).into());
        }
        let mut listed = Vec::with_capacity(ids.len());
        for (arn, id) in input.resource_id_list.into_iter().zip(ids) {
            // Members see their organization's trail, but this operation has no error to tell
            // them whose it is.
            let account = cx.account();
            if id.account != account.as_str() {
                return Err(Error::CloudTrailARNInvalidException(format!(
                    "AccountID in ARN is wrong, you can only access resources with AccountID \
                     {account}."
                )));
            }
            let trail = self.tagged_trail(cx, &id).await?.value;
            let tags = trail.tags.into_iter().map(|(key, value)| Tag { key, value: Some(value) });
            listed.push(ResourceTag { resource_id: Some(arn), tags_list: Some(tags.collect()) });
        }
        Ok(ListTagsResponse { resource_tag_list: Some(listed), next_token: None })
    }
}
