//! Lists the tags of a resource.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::ListTagsForResource;
use haechi_organizations_model::shapes::{ListTagsForResourceRequest, ListTagsForResourceResponse};

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::error::no_target;
use crate::tags;

impl Handle<ListTagsForResource> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListTagsForResourceRequest,
    ) -> Result<ListTagsForResourceResponse, Error> {
        let id = input.resource_id.as_str();
        let organization = self.admit(cx, Reach::Readers, |it| About::of(it, &[id])).await?;
        let tags = organization.tags_of(id).ok_or_else(no_target)?;
        Ok(ListTagsForResourceResponse { tags: Some(tags::shown(tags)), next_token: None })
    }
}
