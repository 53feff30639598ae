//! Removes the organization's own policy.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::DeleteResourcePolicy;
use haechi_wire::shape::Unit;

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::error::no_resource_policy;

impl Handle<DeleteResourcePolicy> for Organizations {
    async fn handle(&self, cx: &Cx, _: Unit) -> Result<Unit, Error> {
        let organization = self.admit(cx, Reach::Management, |it| {
            let policy = it.record().resource_policy.as_ref();
            policy.map_or_else(About::all, |policy| About::arn(it.resource_policy_arn(&policy.id)))
        });
        let organization = organization.await?;
        let mut change = organization.change();
        change.head.resource_policy.take().ok_or_else(no_resource_policy)?;
        self.save(cx, change).await?;
        Ok(Unit)
    }
}
