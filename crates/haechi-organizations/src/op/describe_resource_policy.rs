//! Shows the organization's own policy.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::DescribeResourcePolicy;
use haechi_organizations_model::shapes::DescribeResourcePolicyResponse;
use haechi_wire::shape::Unit;

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::error::no_resource_policy;

impl Handle<DescribeResourcePolicy> for Organizations {
    async fn handle(&self, cx: &Cx, _: Unit) -> Result<DescribeResourcePolicyResponse, Error> {
        let organization = self.admit(cx, Reach::Readers, |_| About::all()).await?;
        let policy = organization.record().resource_policy.as_ref();
        let policy = policy.ok_or_else(no_resource_policy)?;
        let resource_policy = Some(organization.shown_resource_policy(policy));
        Ok(DescribeResourcePolicyResponse { resource_policy })
    }
}
