//! Describes a policy, with its text.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::DescribePolicy;
use haechi_organizations_model::shapes::{DescribePolicyRequest, DescribePolicyResponse};

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::error::no_policy;

impl Handle<DescribePolicy> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: DescribePolicyRequest,
    ) -> Result<DescribePolicyResponse, Error> {
        let id = input.policy_id.as_str();
        let organization = self.admit(cx, Reach::Readers, |it| About::of(it, &[id])).await?;
        let policy = organization.policy(id).ok_or_else(no_policy)?;
        Ok(DescribePolicyResponse { policy: Some(organization.shown_policy(policy)) })
    }
}
