//! Adds tags to a root, unit, account, policy or the resource policy, or changes them.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::TagResource;
use haechi_organizations_model::shapes::TagResourceRequest;
use haechi_wire::shape::Unit;

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::error::no_target;
use crate::organization::Organization;
use crate::tags;

impl Handle<TagResource> for Organizations {
    async fn handle(&self, cx: &Cx, input: TagResourceRequest) -> Result<Unit, Error> {
        let id = input.resource_id.as_str();
        let about = |it: &Organization| About::of(it, &[id]).tags(&input.tags);
        let organization = self.admit(cx, Reach::Management, about).await?;
        let existing = organization.tags_of(id).ok_or_else(no_target)?;
        let tags = tags::merged(existing.clone(), &input.tags)?;
        let mut change = organization.change();
        change.tag(id, tags);
        self.save(cx, change).await?;
        Ok(Unit)
    }
}
