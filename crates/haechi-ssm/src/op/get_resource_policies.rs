//! `GetResourcePolicies`.

use haechi_core::{Cx, Handle};
use haechi_ssm_model::Error;
use haechi_ssm_model::ops::GetResourcePolicies;
use haechi_ssm_model::shapes::{
    GetResourcePoliciesRequest, GetResourcePoliciesResponse, GetResourcePoliciesResponseEntry,
};

use crate::Ssm;
use crate::store::ResourcePolicyRecord;

impl Handle<GetResourcePolicies> for Ssm {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetResourcePoliciesRequest,
    ) -> Result<GetResourcePoliciesResponse, Error> {
        let loaded = self.shareable(cx, &input.resource_arn).await?;
        let entry = |policy: ResourcePolicyRecord| GetResourcePoliciesResponseEntry {
            policy_id: Some(policy.id),
            policy_hash: Some(policy.hash),
            policy: Some(policy.text),
        };
        let policies = loaded.value.resource_policy.into_iter().map(entry).collect();
        Ok(GetResourcePoliciesResponse { next_token: None, policies: Some(policies) })
    }
}
