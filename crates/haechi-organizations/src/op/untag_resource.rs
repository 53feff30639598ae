//! Removes tags.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::UntagResource;
use haechi_organizations_model::shapes::UntagResourceRequest;
use haechi_wire::shape::Unit;

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::error::no_target;
use crate::organization::Organization;

impl Handle<UntagResource> for Organizations {
    async fn handle(&self, cx: &Cx, input: UntagResourceRequest) -> Result<Unit, Error> {
        let id = input.resource_id.as_str();
        let about = |it: &Organization| About::of(it, &[id]).tag_keys(&input.tag_keys);
        let organization = self.admit(cx, Reach::Management, about).await?;
        let mut tags = organization.tags_of(id).ok_or_else(no_target)?.clone();
        tags.retain(|(key, _)| !input.tag_keys.contains(key));
        let mut change = organization.change();
        change.tag(id, tags);
        self.save(cx, change).await?;
        Ok(Unit)
    }
}
